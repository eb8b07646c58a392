"""Counting by float64 products on a device: equal to brute force and to the processor's counting, bit for bit.

The device is torch's "cpu" here; tools/gpu_check.py compares a GPU's counts with the processor's.
"""

import numpy as np
import pytest
import torch
from brute_force import brute_force
from hypothesis import given, settings
from hypothesis import strategies as st
from test_exactness import clustered, retrievals

from fastreid_prune.evaluation import device_counting, evaluate_ranking, ranking
from fastreid_prune.evaluation.counting import count_ahead
from fastreid_prune.evaluation.device_counting import count_ahead_on
from fastreid_prune.evaluation.inputs import check_retrieval

HERE = torch.device("cpu")


def counted(blocks):
    return [np.concatenate(parts).tolist() for parts in zip(*blocks, strict=True)]


@pytest.fixture
def on_device(monkeypatch):
    monkeypatch.setattr(ranking, "counting_device", lambda device: HERE)


@settings(max_examples=60, deadline=None)
@given(data=retrievals(), metric=st.sampled_from(["cosine", "euclidean"]), size=st.integers(1, 64))
def test_equals_brute_force_whatever_the_tiles(data, metric, size):
    expected = brute_force(*data, metric=metric)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "counting_device", lambda device: HERE)
        patch.setattr(device_counting, "TILE_VALUES", size)
        patch.setattr(device_counting, "THRESHOLD_VALUES", size)
        if expected.evaluated:
            result = evaluate_ranking(*data, metric=metric)
            np.testing.assert_array_equal(result.first_ranks, expected.first_ranks)
            np.testing.assert_allclose(result.average_precisions, expected.average_precisions, rtol=1e-14)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_counts_are_those_of_the_processor(metric, dtype, monkeypatch):
    monkeypatch.setattr(device_counting, "TILE_VALUES", 1 << 16)
    query, gallery, *labels = clustered()
    gallery[7] = 0
    retrieval = check_retrieval(query.astype(dtype), gallery.astype(dtype), *labels, metric)
    assert counted(count_ahead_on(*retrieval, HERE)) == counted(count_ahead(*retrieval))


def test_a_row_too_long_for_exact_sums_is_left_to_the_processor(caplog):
    query, gallery, *labels = clustered(num_queries=40, num_gallery=500)
    gallery[3] *= 1000
    retrieval = check_retrieval(query, gallery, *labels, "euclidean")
    assert counted(count_ahead_on(*retrieval, HERE)) == counted(count_ahead(*retrieval))
    assert "on the processor" in caplog.text


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("error", ["not exact", "memory"])
def test_a_product_that_is_not_exact_is_noticed_and_the_rest_is_counted_by_the_processor(
    error, after, monkeypatch, caplog
):
    """As where float64 products are emulated, or the device's memory is taken, from the second block of queries on."""
    monkeypatch.setattr(device_counting, "QUERIES", 100)
    monkeypatch.setattr(device_counting, "TILE_VALUES", 100 * 5000)
    exact, calls = device_counting.DeviceFeatures.tile, []

    def tile(self, query, columns):
        calls.append(columns)
        if len(calls) > after and error == "memory":
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.\nTried to allocate")
        product = exact(self, query, columns)
        return product * (1 + 2.0**-50) if len(calls) > after else product

    monkeypatch.setattr(device_counting.DeviceFeatures, "tile", tile)
    retrieval = check_retrieval(*clustered(), "cosine")
    assert counted(count_ahead_on(*retrieval, HERE)) == counted(count_ahead(*retrieval))
    assert len(calls) == after + 1
    assert "on the processor" in caplog.text


def test_the_device_is_the_gpu_where_there_is_one_and_the_processor_where_asked(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_counting.counting_device("auto").type == "cuda"
    assert device_counting.counting_device("cpu") is None
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device_counting.counting_device("auto") is None


def test_all_of_a_ranking_is_the_same(on_device):
    data = clustered(num_queries=100)
    on_gpu = evaluate_ranking(*data)
    for metric in ("cosine", "euclidean"):
        on_gpu = evaluate_ranking(*data, metric=metric)
        assert brute_counts(data, metric) == on_gpu.average_precisions.tolist()


def brute_counts(data, metric):
    retrieval = check_retrieval(*data, metric)
    blocks = [
        ranking._per_query(query, ahead, trapezoid=False)[2] for query, ahead in count_ahead(*retrieval)
    ]
    return np.concatenate(blocks).tolist()
