import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastreid_prune.purify.discriminant import unit
from fastreid_prune.purify.neighbours import Neighbours, joined, nearest, vote_weights, votes


def brute_force(features, candidates, k, rows):
    """Similarities [n, k] of the nearest candidates but oneself, -1 where there are fewer."""
    similarity = features.astype(np.float64) @ features.T.astype(np.float64)
    found = np.full((len(rows), k), -1.0)
    for place, row in enumerate(rows):
        pool = [other for other in np.flatnonzero(candidates) if other != row]
        best = np.sort(similarity[row, pool])[::-1][:k]
        found[place, : len(best)] = best
    return found


@settings(max_examples=60)
@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 10**6), st.sampled_from([1, 3, 1000]))
def test_the_nearest_are_those_of_brute_force(count, k, seed, distinct):
    rng = np.random.default_rng(seed)
    # few distinct rows: copies of a sample, which are nearer than anything else and as near as itself
    features = unit(rng.normal(size=(min(distinct, count), 6)))[
        rng.integers(min(distinct, count), size=count)
    ]
    features = features.astype(np.float32)
    candidates = rng.random(count) < 0.7
    candidates[0] = True
    rows = rng.permutation(count)[: rng.integers(1, count + 1)]
    found = nearest(features, candidates, k, rows)
    np.testing.assert_allclose(found.similarity, brute_force(features, candidates, k, rows), atol=1e-5)
    there = found.index >= 0
    assert candidates[found.index[there]].all() and (found.index != rows[:, None]).all()
    for place, row in enumerate(rows):
        own = found.index[place][there[place]]
        assert len(set(own)) == len(own)
        np.testing.assert_allclose(
            features[own] @ features[row], found.similarity[place][there[place]], atol=1e-5
        )


def test_itself_is_left_out_among_more_copies_than_asked_for():
    features = np.tile(unit(np.ones((1, 4))), (30, 1)).astype(np.float32)
    found = nearest(features, np.ones(30, bool), 5, np.arange(30))
    assert (found.index != np.arange(30)[:, None]).all() and (found.index >= 0).all()
    assert all(len(set(row)) == 5 for row in found.index)


def test_parts_are_joined_in_their_places():
    features = unit(np.random.default_rng(0).normal(size=(20, 5))).astype(np.float32)
    everyone = np.ones(20, bool)
    parts = [
        (rows, nearest(features, everyone, 3, rows)) for rows in (np.arange(1, 20, 2), np.arange(0, 20, 2))
    ]
    whole = nearest(features, everyone, 3, np.arange(20))
    np.testing.assert_array_equal(joined(20, parts).index, whole.index)
    np.testing.assert_array_equal(joined(20, parts).similarity, whole.similarity)


@given(st.integers(0, 10**6))
def test_vote_weights_and_votes_are_those_of_a_loop(seed):
    rng = np.random.default_rng(seed)
    count, k, classes = 12, 4, 5
    index = rng.integers(-1, count, (count, k))
    similarity = -np.sort(-rng.random((count, k)).astype(np.float32), axis=1)
    camera, label_confidence, label = (
        rng.integers(3, size=count),
        rng.random(count),
        rng.integers(classes, size=count),
    )
    weights = vote_weights(
        Neighbours(index, similarity), camera, label_confidence, width=0.1, other_camera=1.5
    )
    expected, cast = np.zeros((count, k)), np.zeros((count, classes))
    for i in range(count):
        for j, other in enumerate(index[i]):
            if other >= 0:
                expected[i, j] = np.exp((similarity[i, j] - similarity[i, 0]) / 0.1) * label_confidence[other]
                expected[i, j] *= 1.5 if camera[i] != camera[other] else 1
        expected[i] /= expected[i].sum() or 1
        for j, other in enumerate(index[i]):
            cast[i, label[other]] += expected[i, j]
    np.testing.assert_allclose(weights, expected, atol=1e-5)
    np.testing.assert_allclose(votes(weights, index, label, classes), cast, atol=1e-5)


def test_whoever_has_no_neighbours_gets_no_votes():
    nobody = Neighbours(np.full((2, 3), -1), np.full((2, 3), -1.0, np.float32))
    weights = vote_weights(nobody, np.zeros(2, int), np.ones(2), width=0.1, other_camera=1.5)
    assert (weights == 0).all() and (votes(weights, nobody.index, np.array([0, 1]), 2) == 0).all()


def test_a_neighbour_of_another_camera_counts_more():
    neighbours = Neighbours(np.array([[1, 2], [0, 2], [0, 1]]), np.full((3, 2), 0.5, np.float32))
    weights = vote_weights(neighbours, np.array([0, 0, 1]), np.ones(3), width=0.1, other_camera=1.5)
    assert weights[0] == pytest.approx([0.4, 0.6]) and weights[2] == pytest.approx([0.5, 0.5])


def test_where_nobody_may_be_a_neighbour_there_is_none():
    found = nearest(np.eye(4, dtype=np.float32), np.zeros(4, bool), 3, np.arange(4))
    assert (found.index == -1).all() and (found.similarity == -1).all()
