"""Neighbours found through lists, beside those of brute force."""

import numpy as np
import pytest

from fastreid_prune.evaluation import inverted_lists
from fastreid_prune.evaluation.inverted_lists import Partition, knn_in_lists, recall


def people(count=4000, persons=400, size=32, seed=0):
    """Rows of length 1, about ten of a person."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(persons, size))[rng.integers(persons, size=count)] + 0.3 * rng.normal(
        size=(count, size)
    )
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_who_asks_all_lists_finds_what_brute_force_finds():
    rows = people(600)
    partition = Partition.of(rows)
    lists = partition.lists(rows, len(partition.centres))
    near, found = knn_in_lists(rows, rows, 5, lists, lists[:, 0])
    similar = rows @ rows.T
    np.testing.assert_allclose(near, -np.sort(-similar, axis=1)[:, :5], atol=1e-6)
    np.testing.assert_allclose(np.take_along_axis(similar, found, 1), near, atol=1e-6)
    assert recall(rows, rows, found) == pytest.approx(1, abs=0.01)


def test_a_few_lists_hold_nearly_all_neighbours_and_recall_tells_how_many():
    rows = people()
    partition = Partition.of(rows)
    lists = partition.lists(rows, 16)
    _, found = knn_in_lists(rows, rows, 8, lists, lists[:, 0])
    true = np.argsort(-(rows @ rows.T), axis=1, kind="stable")[:, :8]
    share = np.mean([np.isin(one, other).mean() for one, other in zip(true, found, strict=True)])
    assert 0.85 < share < 1
    assert recall(rows, rows, found) == pytest.approx(share, abs=0.05)


def test_lists_with_too_few_rows_leave_places_empty():
    rows = np.eye(4, dtype=np.float32)
    near, found = knn_in_lists(rows[:2], rows, 3, np.array([[0], [1]]), np.array([0, 1, 1, 1]))
    assert found.tolist()[0] == [0, -1, -1] and set(found[1].tolist()) == {1, 2, 3}
    assert near[0, 1] == -np.inf


def test_the_same_rows_fall_into_the_same_lists():
    rows = people(1000)
    np.testing.assert_array_equal(Partition.of(rows).lists(rows, 4), Partition.of(rows).lists(rows, 4))


def test_lists_made_in_two_steps_hold_as_many_neighbours_as_those_made_at_once(monkeypatch):
    rows, share = people(6000, 600), []
    for at_once in 10**6, 100:
        monkeypatch.setattr(inverted_lists, "_AT_ONCE", at_once)
        partition = Partition.of(rows, 12)
        assert len(partition.centres) == pytest.approx(500, abs=15)
        lists = partition.lists(rows, 16)
        share.append(recall(rows, rows, knn_in_lists(rows, rows, 8, lists, lists[:, 0])[1]))
    assert share[1] > share[0] - 0.03 and share[0] > 0.9
