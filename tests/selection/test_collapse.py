"""Near-duplicates collapsed: against a brute-force reference, on large identities, and on what files say."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted_copies import near_duplicates, unit

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.selection import Pool, redundancy_aware
from fastreid_prune.selection.collapse import collapse, collapse_block


def brute_force(vectors, importance):
    """All pairs of those left, anew at each step."""
    left, order = list(range(len(vectors))), []
    while len(left) > 1:
        pairs = [(float(vectors[a] @ vectors[b]), a, b) for i, a in enumerate(left) for b in left[i + 1 :]]
        _, a, b = max(pairs)
        gone = a if importance[a] < importance[b] else b
        order.append(gone)
        left.remove(gone)
    return order


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 14), st.integers(0, 10_000))
def test_a_block_collapses_as_by_brute_force(size, seed):
    rng = np.random.default_rng(seed)
    vectors, importance = unit(rng.normal(size=(size, 5))), rng.permutation(size)
    gone, stayed, similarity = collapse_block(vectors, importance)
    assert gone.tolist() == brute_force(vectors, importance)
    assert (importance[stayed] > importance[gone]).all()
    assert (np.diff(similarity) <= 0).all()


def pool(features, labels, scores, **more):
    names = np.array([f"{row:06}.jpg" for row in range(len(labels))], object)
    return Pool(scores, names, labels.astype(str), np.full(len(labels), "c"), features=features, **more)


def test_every_original_survives_where_ranking_by_score_loses_many():
    rng = np.random.default_rng(0)
    features, original, labels = near_duplicates(rng)
    scores = rng.random(60)[original] + rng.normal(scale=1e-3, size=len(original))
    keep = redundancy_aware(pool(features, labels, scores), 0.75)
    assert keep.sum() == 60 and len(set(original[keep])) == 60
    by_score = np.argsort(-scores)[:60]
    assert len(set(original[by_score])) < 25
    # of each four, the highest-scored stays
    assert all(scores[original == one].max() == scores[keep & (original == one)][0] for one in range(60))


def test_an_identity_larger_than_a_block_loses_its_copies_too():
    rng = np.random.default_rng(1)
    features, original, labels = near_duplicates(rng, originals=300, copies=2, identities=1)
    names = np.array([str(row) for row in range(900)], object)
    found = collapse(features, labels, rng.random(900), np.ones(900, bool), names, largest=128)
    first = found.rows[:600]
    left = np.setdiff1d(np.arange(900), first)
    assert len(set(original[left])) >= 295


def test_identities_are_not_compared_with_each_other():
    rng = np.random.default_rng(2)
    one = unit(rng.normal(size=(20, 8)))
    features, labels = np.concatenate([one, one]), np.repeat([0, 1], 20)
    found = collapse(features, labels, rng.random(40), np.ones(40, bool), np.arange(40).astype(str))
    assert (labels[found.rows] == labels[found.partner]).all()
    assert found.similarity.max() < 0.999


def test_the_choice_does_not_depend_on_the_order_of_the_rows():
    rng = np.random.default_rng(3)
    features, _, labels = near_duplicates(rng)
    scores, names = rng.random(240), np.array([f"{row:06}.jpg" for row in range(240)], object)
    kept = set()
    for _ in range(3):
        order = rng.permutation(240)
        shuffled = Pool(scores[order], names[order], labels[order], labels[order], features=features[order])
        kept.add(frozenset(names[order][redundancy_aware(shuffled, 0.4)]))
    assert len(kept) == 1


def test_samples_without_features_are_nobody_s_near_duplicates():
    rng = np.random.default_rng(4)
    features, _, labels = near_duplicates(rng)
    features[:5] = np.nan
    found = collapse(features, labels, rng.random(240), np.ones(240, bool), np.arange(240).astype(str))
    assert not np.isin(found.rows, np.arange(5)).any() and not np.isin(found.partner, np.arange(5)).any()
    assert redundancy_aware(pool(features, labels, rng.random(240)), 0.5).sum() == 120


def test_without_features_it_says_what_to_do():
    with pytest.raises(FastreidPruneError, match="Score again"):
        redundancy_aware(pool(None, np.zeros(4, int), np.arange(4.0)), 0.5)


@pytest.mark.slow
def test_a_million_samples_take_minutes():
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 20_000, 1_000_000)
    # one identity as large as a whole data set
    labels[:60_000] = 0
    features = rng.normal(size=(1_000_000, 64)).astype(np.float32)
    began = time.perf_counter()
    keep = redundancy_aware(pool(features, labels, rng.random(1_000_000)), 0.3)
    assert keep.sum() == 700_000
    assert time.perf_counter() - began < 900
