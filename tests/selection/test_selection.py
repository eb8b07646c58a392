import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.selection import hardest_first, identities_lost, pruned_count, select


def brute_force_keep(scores, names, ratio, excluded):
    left = [row for row in range(len(scores)) if not excluded[row]]
    left.sort(key=lambda row: (-scores[row], names[row]))
    stay = left[: len(left) - math.floor(Fraction(str(ratio)) * len(left))]
    return [row in set(stay) for row in range(len(scores))]


@given(st.data())
def test_selection_equals_sorting_by_score_then_name(data):
    size = data.draw(st.integers(0, 40))
    scores = data.draw(
        st.lists(st.sampled_from([0.0, 0.5, 1.5, -1.0, math.inf]), min_size=size, max_size=size)
    )
    names = data.draw(
        st.lists(st.text("aé𝄞/", min_size=1, max_size=6), min_size=size, max_size=size, unique=True)
    )
    excluded = data.draw(st.lists(st.booleans(), min_size=size, max_size=size))
    ratio = data.draw(st.sampled_from([0, 0.1, 0.29, 0.3, 0.5, 0.99]))
    keep = select(np.array(scores, float), ratio, file_names=names, excluded=np.array(excluded, bool))
    assert keep.tolist() == brute_force_keep(scores, names, ratio, excluded)


@given(st.integers(0, 10_000), st.integers(0, 99))
def test_a_ratio_counts_as_the_decimal_it_is_written_as(samples, percent):
    assert pruned_count(samples, percent / 100) == percent * samples // 100


def test_a_shuffled_set_keeps_the_same_names():
    generator = random.Random(0)
    rows = [(f"{row:03}.jpg", float(row % 4)) for row in range(100)]
    kept = set()
    for _ in range(5):
        generator.shuffle(rows)
        keep = select(np.array([score for _, score in rows]), 0.37, file_names=[name for name, _ in rows])
        kept.add(frozenset(name for (name, _), stays in zip(rows, keep, strict=True) if stays))
    assert len(kept) == 1


def test_excluded_samples_do_not_count_and_need_no_score():
    scores = np.array([np.nan, 0.0, 1.0, 2.0, 3.0])
    keep = select(scores, 0.5, excluded=np.isnan(scores))
    assert keep.tolist() == [False, False, False, True, True]
    with pytest.raises(FastreidPruneError, match="1 of 5 are NaN, the first in row 0"):
        select(scores, 0.5)


def test_a_floor_keeps_the_best_of_each_identity():
    scores = np.arange(12, dtype=np.float32)
    pids = ["a"] * 4 + ["b"] * 4 + ["c"] * 4
    assert identities_lost(pids, select(scores, 0.5)) == ["a"]
    keep = select(scores, 0.5, pids=pids, keep_per_identity=1)
    assert keep.sum() == 6 and keep[3] and keep[7]
    assert select(scores, 0.9, pids=pids, keep_per_identity=3).sum() == 9


@pytest.mark.parametrize("ratio", [1, 1.0, -0.1, 30, float("nan"), "0.3", None, True])
def test_a_ratio_that_is_no_fraction_is_refused(ratio):
    with pytest.raises(FastreidPruneError, match="ratio"):
        select(np.zeros(3), ratio)


def test_names_decide_ties_and_unscored_samples_come_last():
    assert hardest_first(np.array([1.0, np.nan, 1.0, 2.0]), ["b", "x", "a", "c"]).tolist() == [3, 2, 0, 1]
    assert hardest_first(np.array([1.0, 1.0, 2.0])).tolist() == [2, 0, 1]
