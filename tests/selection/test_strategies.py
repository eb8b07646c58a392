"""Each strategy: how many stay, who, and why."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from planted_copies import near_duplicates

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.selection import STRATEGIES, Pool, choose, proportional, select, stratified
from fastreid_prune.selection.stratified import spread


def make_pool(seed=0, size=200, identities=10, **more):
    rng = np.random.default_rng(seed)
    names = np.array([f"{row:06}.jpg" for row in rng.permutation(size)], object)
    pids = rng.integers(0, identities, size).astype(str)
    return Pool(
        rng.random(size) * 4, names, pids, rng.integers(0, 4, size).astype(str),
        features=rng.normal(size=(size, 12)).astype(np.float32), **more,
    )  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(STRATEGIES)), st.integers(0, 500), st.sampled_from([0.0, 0.1, 0.3, 0.55, 0.9]))
@example("easy_first", 455, 0.9)
def test_every_strategy_prunes_what_is_asked_and_not_what_is_protected(strategy, seed, ratio):
    rng = np.random.default_rng(seed)
    excluded, protected = rng.random(200) < 0.1, rng.random(200) < 0.05
    protected &= ~excluded
    pool = make_pool(seed, excluded=excluded, protected=protected)
    choice = choose(pool, ratio, strategy, entropy=pool.scores, seed=seed)
    gone = ~excluded & ~choice.keep
    # no more than is not protected: by chance more than a tenth can be
    asked = min(int(ratio * 100 * (~excluded).sum()) // 100, (~excluded & ~protected).sum())
    # auto leaves every identity its floor, and so may prune fewer
    assert gone.sum() == asked or (strategy == "auto" and gone.sum() < asked)
    assert not (gone & protected).any() and not choice.keep[excluded].any()
    assert ((choice.reason != "") == gone).all()


def test_the_plain_ranking_is_the_papers():
    pool = make_pool(1)
    choice = choose(pool, 0.37, "hardest_first", entropy=pool.scores)
    assert (choice.keep == select(pool.scores, 0.37, file_names=pool.file_names)).all()


def test_easy_first_keeps_what_the_plain_ranking_prunes():
    pool = make_pool(2)
    hard, easy = (
        choose(pool, 0.5, name, entropy=pool.scores).keep for name in ("hardest_first", "easy_first")
    )
    assert (hard == ~easy).all()


@given(st.lists(st.integers(0, 30), min_size=1, max_size=12), st.data())
def test_the_budget_is_spread_as_evenly_as_the_strata_allow(sizes, data):
    budget = data.draw(st.integers(0, sum(sizes)))
    shares = spread(np.array(sizes), budget)
    assert shares.sum() == budget and (shares <= sizes).all()
    # water filling: a stratum that is not exhausted has as much as any other, but for rounding
    short = [share for share, size in zip(shares, sizes, strict=True) if share < size]
    assert not short or min(short) >= max(shares) - 1


def test_strata_of_few_samples_stay_whole():
    rng = np.random.default_rng(3)
    scores = np.concatenate([rng.uniform(0, 1, 900), rng.uniform(3, 4, 100)])
    names = np.arange(1000).astype(str)
    pool = Pool(scores, names, names, names)
    keep = stratified(pool, 0.7, strata=4)
    assert keep[900:].all() and keep[:900].sum() == 200
    keep = stratified(pool, 0.7, strata=4, hardest_dropped=0.05)
    assert keep.sum() == 300 and not keep[np.argsort(-scores)[:50]].any()
    with pytest.raises(FastreidPruneError, match="hardest_dropped=0.8"):
        stratified(pool, 0.7, hardest_dropped=0.8)


def test_an_even_thinning_hits_every_identity_and_camera_alike():
    pool = make_pool(4, size=2000)
    keep = proportional(pool, 0.3, seed=1)
    for groups, slack in ((pool.labels, 1.0), (pool.tracks, 2.0)):
        sizes, left = np.bincount(groups), np.bincount(groups, keep)
        assert (np.abs(left - 0.7 * sizes) <= slack + 1e-9).all()
    assert (keep != proportional(pool, 0.3, seed=2)).any()
    assert (keep == proportional(pool, 0.3, seed=1)).all()


@pytest.mark.parametrize("strategy", sorted(set(STRATEGIES) - {"auto"}))
def test_floors_hold_for_identities_and_cameras(strategy):
    pool = make_pool(5, keep_per_identity=7)
    keep = choose(pool, 0.95, strategy, entropy=pool.scores).keep
    sizes = np.bincount(pool.labels)
    assert (np.bincount(pool.labels, keep) >= np.minimum(sizes, 7)).all()
    pool = make_pool(5, keep_per_camera=2)
    keep = choose(pool, 0.95, strategy, entropy=pool.scores).keep
    assert (np.bincount(pool.tracks, keep) >= np.minimum(np.bincount(pool.tracks), 2)).all()


def redundant(copies):
    rng = np.random.default_rng(6)
    features, original, labels = near_duplicates(rng, originals=120, copies=copies, identities=10)
    names = np.array([f"{row:06}.jpg" for row in range(len(labels))], object)
    scores = 3 + rng.random(len(labels))
    pool = Pool(scores, names, labels.astype(str), np.full(len(labels), "c"), features=features)
    return pool, original


def test_the_regime_counts_near_duplicates_and_auto_prunes_only_them():
    pool, original = redundant(copies=1)
    choice = choose(pool, 0.3, "auto", entropy=pool.scores)
    assert choice.regime.near_duplicates == pytest.approx(0.5, abs=0.02)
    assert choice.regime.distinct == pytest.approx(120, abs=4)
    assert choice.regime.method(0.3) == "redundancy_aware" and "near-duplicates" in choice.regime.expectation(
        0.3
    )
    assert len(set(original[choice.keep])) == 120
    assert all(reason.startswith("near-duplicate of ") for reason in choice.reason[~choice.keep])


def test_on_a_scarce_set_auto_thins_evenly():
    pool, _ = redundant(copies=0)
    choice = choose(pool, 0.3, "auto", entropy=pool.scores, seed=3)
    assert choice.regime.near_duplicates < 0.05 and choice.regime.method(0.3) == "stratified"
    left = np.bincount(pool.labels, choice.keep)
    assert left.min() >= 7 and left.max() <= 9
    assert "likely to fall" in choice.regime.expectation(0.3)
    assert choice.regime.expectation(0.0) == "Nothing is pruned."


def test_where_much_is_learnt_auto_prunes_the_easiest():
    pool, _ = redundant(copies=0)
    entropy = np.where(np.arange(120) < 60, 0.1, 2.0)
    pool = Pool(entropy, pool.file_names, pool.pids, pool.camids, features=pool.features)
    choice = choose(pool, 0.3, "auto", entropy=entropy)
    assert choice.regime.learnt == 0.5 and choice.regime.method(0.3) == "hardest_first"
    assert (entropy[~choice.keep] < 1).all()


def test_of_near_duplicates_auto_prunes_the_easiest_first():
    pool, original = redundant(copies=2)
    gone = ~choose(pool, 0.3, "auto", entropy=pool.scores).keep
    everything = ~choose(pool, 0.66, "auto", entropy=pool.scores).keep
    assert set(np.flatnonzero(gone)) <= set(np.flatnonzero(everything))
    assert pool.scores[gone].max() < pool.scores[everything & ~gone].min()


def test_the_most_doubted_are_pruned_by_auto_before_near_duplicates():
    pool, _ = redundant(copies=1)
    doubted = np.random.default_rng(4).permutation(len(pool))[: len(pool) // 20]
    choice = choose(replace(pool, doubted=doubted), 0.3, "auto", entropy=pool.scores)
    assert not choice.keep[doubted].any() and len(doubted) >= 5
    assert all("most doubted" in reason for reason in choice.reason[doubted])
    others = ~choice.keep
    others[doubted] = False
    assert all(reason.startswith("near-duplicate of ") for reason in choice.reason[others])
    some = ~choose(replace(pool, doubted=doubted), 0.02, "auto", entropy=pool.scores).keep
    assert set(np.flatnonzero(some)) == set(doubted[: some.sum()])
    same = choose(pool, 0.3, "hardest_first", entropy=pool.scores)
    plain = choose(replace(pool, doubted=doubted), 0.3, "hardest_first", entropy=pool.scores)
    np.testing.assert_array_equal(plain.keep, same.keep)


def test_a_model_that_learnt_too_little_tells_nothing_and_auto_thins_evenly():
    pool, _ = redundant(copies=1)
    choice = choose(pool, 0.3, "auto", entropy=pool.scores, right=0.31, seed=3)
    assert not choice.regime.known
    assert "right on only 31 % of its training images" in choice.regime.expectation(0.3)
    left = np.bincount(pool.labels, choice.keep)
    assert left.min() >= 16 and left.max() <= 18
    assert not any("near-duplicate" in reason for reason in choice.reason)


def test_a_run_without_features_still_has_a_regime():
    pool = make_pool(7)
    bare = Pool(pool.scores, pool.file_names, pool.pids, pool.camids)
    choice = choose(bare, 0.3, "auto", entropy=pool.scores)
    assert choice.regime.near_duplicates is None and "not known" in choice.regime.words
    assert (~choice.keep).sum() == 60


def test_mistakes_are_named():
    pool = make_pool(8)
    with pytest.raises(FastreidPruneError, match="'hardest' found, one of .*auto.* Did you mean"):
        choose(pool, 0.3, "hardest", entropy=pool.scores)
    with pytest.raises(FastreidPruneError, match="3 of 200 are NaN, the first in row 4"):
        make_scores = pool.scores.copy()
        make_scores[4:7] = np.nan
        Pool(make_scores, pool.file_names, pool.pids, pool.camids)
    with pytest.raises(FastreidPruneError, match=r"'pids': 3"):
        Pool(pool.scores, pool.file_names, pool.pids[:3], pool.camids)
