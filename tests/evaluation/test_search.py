"""nearest against a full stable sort, ties included."""

import numpy as np
import pytest
from brute_force import similarities
from hypothesis import given, settings
from hypothesis import strategies as st

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.evaluation import nearest


def expected_rows(query, gallery, k, metric):
    return [
        sorted(range(len(row)), key=lambda g: (-row[g], g))[:k]
        for row in similarities(query, gallery, metric)
    ]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    values=st.sampled_from([1, 2, 3, 1000]),
    k=st.integers(1, 60),
    metric=st.sampled_from(["cosine", "euclidean"]),
)
def test_is_the_start_of_a_stable_sort_by_exact_distance(seed, values, k, metric):
    rng = np.random.default_rng(seed)
    query, gallery = rng.integers(values, size=(7, 5)), rng.integers(values, size=(50, 5))
    rows, distances = nearest(query, gallery, k, metric)
    np.testing.assert_array_equal(rows, expected_rows(query, gallery, k, metric))
    assert (np.diff(distances, axis=1) >= 0).all()


def test_distances_are_those_of_the_metric():
    rng = np.random.default_rng(0)
    query, gallery = rng.normal(size=(5, 32)) * 30, rng.normal(size=(40, 32)) * 30
    rows, squared = nearest(query, gallery, 3, "euclidean")
    np.testing.assert_allclose(squared, np.square(query[:, None] - gallery[rows]).sum(axis=2), rtol=1e-6)
    rows, cosine = nearest(query, gallery, 3, "cosine")
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (query, gallery)]
    np.testing.assert_allclose(cosine, 1 - np.einsum("qd,qkd->qk", unit[0], unit[1][rows]), atol=1e-7)


def test_refuses_k_below_one():
    with pytest.raises(FastreidPruneError, match="k: expected 1 or more"):
        nearest(np.ones((2, 2)), np.ones((2, 2)), 0)
