"""Equal to brute force in whole numbers: ties, duplicates, and whatever the blocks and threads."""

import numpy as np
import pytest
from brute_force import brute_force
from hypothesis import given, settings
from hypothesis import strategies as st

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.evaluation import counting, evaluate_ranking, sorting, threads


@st.composite
def retrievals(draw):
    """Few distinct values, identities and cameras: ties, duplicates, empty matches, one camera, one identity."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    num_queries, num_gallery, width = (draw(st.integers(1, n)) for n in (5, 30, 5))
    values, ids, cams = (
        draw(st.sampled_from(choices)) for choices in ([1, 2, 3, 10**6], [1, 2, 5], [1, 2, 4])
    )
    query, gallery = (rng.integers(-1, values, size=(n, width)) for n in (num_queries, num_gallery))
    labels = [
        rng.integers(low, high, size=n) for low, high, n in _labels(ids, cams, num_queries, num_gallery)
    ]
    if draw(st.booleans()):
        gallery[rng.integers(num_gallery, size=num_gallery // 2)] = query[0]
    return query.astype(draw(st.sampled_from([np.float32, np.float64]))), gallery.astype(np.float32), *labels


def _labels(ids, cams, num_queries, num_gallery):
    return (-1, ids, num_queries), (-1, ids, num_gallery), (0, cams, num_queries), (0, cams, num_gallery)


def assert_equal(data, metric):
    expected = brute_force(*data, metric=metric)
    if not expected.evaluated:
        with pytest.raises(FastreidPruneError, match="None of the"):
            evaluate_ranking(*data, metric=metric)
        return
    result = evaluate_ranking(*data, metric=metric)
    np.testing.assert_array_equal(result.evaluated, expected.evaluated)
    np.testing.assert_array_equal(result.first_ranks, expected.first_ranks)
    np.testing.assert_allclose(result.average_precisions, expected.average_precisions, rtol=1e-14)
    np.testing.assert_allclose(result.mINP, expected.mINP, rtol=1e-14)
    assert result.num_skipped == expected.num_skipped


@settings(max_examples=60, deadline=None)
@given(data=retrievals(), metric=st.sampled_from(["cosine", "euclidean"]))
def test_equals_brute_force_on_few_distinct_values(data, metric):
    assert_equal(data, metric)


@settings(max_examples=40, deadline=None)
@given(data=retrievals(), metric=st.sampled_from(["cosine", "euclidean"]), size=st.integers(1, 9))
def test_tiles_of_any_size_give_the_same(data, metric, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "QUERIES", size)
        patch.setattr(counting, "WIDEST_TILE", size)
        patch.setattr(counting, "TALLEST_TILE", 2)
        assert_equal(data, metric)


def clustered(num_queries=300, num_gallery=5000, width=64, num_ids=100, num_cams=5, seed=0):
    """Features like a trained model's, a quarter of the gallery being duplicates, in float32."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(num_ids, width))
    ids = rng.integers(num_ids, size=num_queries), rng.integers(-1, num_ids, size=num_gallery)
    query, gallery = (centres[i] + 1.5 * rng.normal(size=(len(i), width)) for i in ids)
    gallery[: num_gallery // 4] = gallery[rng.integers(num_gallery, size=num_gallery // 4)]
    cams = rng.integers(num_cams, size=num_queries), rng.integers(num_cams, size=num_gallery)
    return query.astype(np.float32), gallery.astype(np.float32), *ids, *cams


def sorted_in_float64(query, gallery, query_ids, gallery_ids, query_cams, gallery_cams, metric):
    """Average precisions from a full sort of exact similarities, a wrong row ahead of its equals."""
    query, gallery = query.astype(np.float64), gallery.astype(np.float64)
    if metric == "cosine":
        query, gallery = (np.rint(x / np.linalg.norm(x, axis=1)[:, None] * 2**26) for x in (query, gallery))
        similarity = query @ gallery.T
    else:
        norms = np.linalg.norm(np.concatenate([query, gallery]), axis=1)
        step = 2.0 ** (np.ceil(np.log2(min(4 * np.median(norms), norms.max()))) - 25)
        query, gallery = np.rint(query / step), np.rint(gallery / step)
        similarity = 2 * query @ gallery.T - np.square(gallery).sum(axis=1)
    precisions = []
    for q in range(len(query)):
        right = gallery_ids == query_ids[q]
        kept = ~(right & (gallery_cams == query_cams[q])) & (gallery_ids != -1)
        order = np.lexsort((right[kept], -similarity[q, kept]))
        hits = np.flatnonzero(right[kept][order]) + 1
        if len(hits):
            precisions.append(np.mean(np.arange(1, len(hits) + 1) / hits))
    return precisions


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_equals_a_full_sort_on_thousands_of_rows(metric):
    data = clustered()
    result = evaluate_ranking(*data, metric=metric)
    np.testing.assert_allclose(result.average_precisions, sorted_in_float64(*data, metric), rtol=1e-13)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_order_of_the_gallery_and_threads_do_not_matter(metric, monkeypatch):
    data = clustered()
    expected = evaluate_ranking(*data, metric=metric)
    shuffled = np.random.default_rng(1).permutation(len(data[1]))
    moved = (data[0], data[1][shuffled], data[2], data[3][shuffled], data[4], data[5][shuffled])
    for module in (threads, counting):
        monkeypatch.setattr(module, "usable_cores", lambda: 3)
    result = evaluate_ranking(*moved, metric=metric)
    np.testing.assert_array_equal(result.average_precisions, expected.average_precisions)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("spread", [0.0, 1e-7, 1e-5, 1e-3])
def test_a_collapsed_model_is_ranked_exactly(metric, spread):
    rng = np.random.default_rng(0)
    query, gallery, *labels = clustered(num_queries=50, num_gallery=2000)
    query, gallery = (np.float32(1 + spread * rng.normal(size=x.shape)) for x in (query, gallery))
    result = evaluate_ranking(query, gallery, *labels, metric=metric)
    expected = sorted_in_float64(query, gallery, *labels, metric)
    np.testing.assert_allclose(result.average_precisions, expected, rtol=1e-13)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_type_and_memory_layout_do_not_matter(metric):
    query, gallery, *labels = clustered(num_queries=40, num_gallery=500)
    query, gallery = query.astype(np.float16), gallery.astype(np.float16)
    expected = evaluate_ranking(query.astype(np.float64), gallery.astype(np.float64), *labels, metric=metric)
    wide = np.repeat(gallery.astype(np.float32), 2, axis=1)[:, ::2]
    for given_query, given_gallery in (
        (query, gallery),
        (np.asfortranarray(query), gallery[::-1][::-1]),
        (query.astype(np.float32), wide),
    ):
        result = evaluate_ranking(given_query, given_gallery, *labels, metric=metric)
        np.testing.assert_array_equal(result.average_precisions, expected.average_precisions)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("factor", [1e-30, 1e-5, 1e5, 1e30])
def test_scale_of_the_features_does_not_matter(metric, factor):
    query, gallery, *labels = clustered(num_queries=40, num_gallery=500)
    expected = evaluate_ranking(query, gallery, *labels, metric=metric)
    query, gallery = query.astype(np.float64) * factor, gallery.astype(np.float64) * factor
    result = evaluate_ranking(query, gallery, *labels, metric=metric)
    np.testing.assert_allclose(result.average_precisions, expected.average_precisions, atol=1e-6)


def test_one_enormous_row_does_not_blur_the_others():
    query, gallery, *labels = clustered(num_queries=40, num_gallery=500)
    expected = evaluate_ranking(query, gallery, *labels, metric="euclidean")
    gallery = np.concatenate([gallery, np.full((1, gallery.shape[1]), 1e12, dtype=np.float32)])
    labels = [labels[0], np.append(labels[1], 10**6), labels[2], np.append(labels[3], 0)]
    result = evaluate_ranking(query, gallery, *labels, metric="euclidean")
    np.testing.assert_array_equal(result.average_precisions, expected.average_precisions)


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    num_rows=st.sampled_from([1, 2, 5, 3000]),
    width=st.integers(1, 50),
    num_thresholds=st.integers(0, 30),
    error=st.sampled_from([1e-5, 1e-3, 0.1]),
    spread=st.sampled_from([0.0, 1e-5, 1.0]),
)
def test_sorted_rows_tell_what_is_above_a_threshold_and_what_is_too_close(
    seed, num_rows, width, num_thresholds, error, spread
):
    rng = np.random.default_rng(seed)
    values = (spread * rng.normal(size=(num_rows, width))).astype(np.float32)
    values[rng.random(values.shape) < 0.1] = sorting.LOWEST
    values[rng.random(values.shape) < 0.1] = 1e-42
    owner = np.sort(rng.integers(num_rows, size=num_thresholds))
    threshold = spread * rng.normal(size=num_thresholds)
    ranked = np.sort(sorting.with_columns(values), axis=1)
    begin, end = sorting.places(ranked, owner, threshold, error)
    difference = values[owner].astype(np.float64) - threshold[:, None]
    np.testing.assert_array_equal(width - end, (difference > error).sum(axis=1))
    for row, (first, last) in enumerate(zip(begin, end, strict=True)):
        close = sorting.columns_of(ranked[owner[row], first:last])
        np.testing.assert_array_equal(np.sort(close), np.flatnonzero(np.abs(difference[row]) <= error))
