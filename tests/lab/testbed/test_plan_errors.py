"""Planning which errors to plant: shares, patterns, limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.lab.testbed.errors import KINDS, plan_errors
from fastreid_prune.lab.testbed.patterns import parse_patterns

LABELS = np.repeat(np.array([3, 7, 11, 200, 201]), 200)
SINGLE = ("uniform", "patterned")


def planned(labels, wrong, pattern, outliers, seed, free=None):
    return plan_errors(labels, np.zeros(len(labels), int), {pattern: wrong}, outliers, seed, free)


@pytest.mark.parametrize("pattern", SINGLE)
def test_shares_are_exact_and_no_sample_is_planted_twice(pattern):
    errors = planned(LABELS, 0.2, pattern, 0.03, seed=0)
    assert len(errors.wrong) == 200 and len(errors.outliers) == 30
    assert len(set(errors.wrong) | set(errors.outliers)) == 230
    assert (errors.new_label != LABELS[errors.wrong]).all()
    assert set(errors.new_label) <= set(LABELS) and set(errors.kinds) <= set(KINDS)


def test_uniform_errors_go_to_every_other_identity_about_equally_often():
    labels = np.repeat(np.arange(5), 2000)
    errors = planned(labels, 0.4, "uniform", 0.0, seed=1)
    counts = np.zeros((5, 5))
    np.add.at(counts, (labels[errors.wrong], errors.new_label), 1)
    off_diagonal = counts[~np.eye(5, dtype=bool)]
    assert (np.diag(counts) == 0).all()
    # 4,000 errors over 20 pairs: 200 each, with a standard deviation of about 14
    assert abs(off_diagonal - 200).max() < 60


def test_patterned_errors_of_an_identity_go_to_one_other_and_each_identity_receives_from_one():
    errors = planned(LABELS, 0.2, "patterned", 0.0, seed=2)
    pairs = {(int(a), int(b)) for a, b in zip(LABELS[errors.wrong], errors.new_label, strict=True)}
    assert len(pairs) == 5
    assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == 5


def test_the_same_seed_plans_the_same_and_another_seed_does_not():
    first, again, other = (planned(LABELS, 0.1, "uniform", 0.03, seed) for seed in (5, 5, 6))
    assert np.array_equal(first.wrong, again.wrong) and np.array_equal(first.new_label, again.new_label)
    assert np.array_equal(first.outliers, again.outliers) and list(first.kinds) == list(again.kinds)
    assert not np.array_equal(first.wrong, other.wrong)


def test_only_free_samples_are_changed():
    free = np.arange(len(LABELS)) % 3 == 0
    errors = planned(LABELS, 0.1, "uniform", 0.05, 0, free)
    assert free[errors.wrong].all() and free[errors.outliers].all()


@settings(max_examples=60, deadline=None)
@given(
    labels=st.lists(st.integers(0, 6), max_size=60),
    wrong=st.floats(0, 0.5),
    outliers=st.floats(0, 0.3),
    pattern=st.sampled_from(SINGLE),
    seed=st.integers(0, 9),
)
def test_at_most_half_of_an_identity_is_changed_whatever_the_labels(labels, wrong, outliers, pattern, seed):
    labels = np.array(labels, dtype=int)
    errors = planned(labels, wrong, pattern, outliers, seed)
    changed = np.r_[errors.wrong, errors.outliers].astype(int)
    assert len(set(changed)) == len(changed)
    for label in set(labels):
        assert (labels[changed] == label).sum() <= (labels == label).sum() // 2
    assert (errors.new_label != labels[errors.wrong]).all()


CAMERAS = np.tile(np.arange(5), 200)


def with_errors(errors):
    labels = LABELS.copy()
    labels[errors.wrong] = errors.new_label
    return labels


def test_a_tracklet_moves_whole_and_no_identity_loses_more_than_half():
    errors = plan_errors(LABELS, CAMERAS, {"tracklet": 0.2}, 0.0, seed=3)
    labels = with_errors(errors)
    assert len(errors.wrong) == 200 and set(errors.wrong_kinds) == {"wrong_tracklet"}
    for label in set(LABELS):
        assert (labels[LABELS == label] != label).mean() <= 0.5
        for camera in range(5):
            assert len(set(labels[(LABELS == label) & (CAMERAS == camera)])) == 1


def test_a_split_identity_keeps_some_cameras_and_gives_the_others_a_new_number():
    errors = plan_errors(LABELS, CAMERAS, {"split": 0.4}, 0.0, seed=3, unused=np.array([5, 6, 8]))
    labels = with_errors(errors)
    assert set(errors.new_label) == {5, 6} and set(errors.wrong_kinds) == {"split"}
    for new in (5, 6):
        (old,) = set(LABELS[labels == new])
        assert not set(CAMERAS[labels == new]) & set(CAMERAS[labels == old])


def test_merged_identities_vanish_under_the_number_of_another():
    errors = plan_errors(LABELS, CAMERAS, {"merge": 0.4}, 0.0, seed=3)
    labels = with_errors(errors)
    assert len(set(labels)) == 3 and set(errors.wrong_kinds) == {"merged"}
    assert sorted(len(set(LABELS[labels == label])) for label in set(labels)) == [1, 2, 2]


def test_a_mixture_holds_each_of_its_kinds_and_only_free_samples_move_alone():
    free = np.arange(len(LABELS)) % 10 != 0
    shares = {"uniform": 0.05, "tracklet": 0.1, "split": 0.2, "merge": 0.2}
    errors = plan_errors(LABELS, CAMERAS[: len(LABELS)], shares, 0.02, 0, free)
    alone = errors.wrong[errors.wrong_kinds == "wrong_label"]
    assert set(errors.wrong_kinds) >= {"wrong_label", "split", "merged"}
    assert free[alone].all() and not set(errors.outliers) & set(alone)
    assert len(alone) == pytest.approx(50, abs=10)


def test_too_few_free_numbers_for_a_split_are_said():
    with pytest.raises(FastreidPruneError, match="only 1 numbers are free"):
        plan_errors(LABELS, CAMERAS, {"split": 0.4}, 0.0, seed=3, unused=np.array([5]))


@pytest.mark.parametrize(
    ("text", "shares"),
    [("uniform", {"uniform": 0.2}), ("split:0.1, merge", {"split": 0.1, "merge": 0.2})],
)
def test_patterns_are_read_with_their_shares(text, shares):
    assert parse_patterns(text, 0.2) == shares


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("checked", "'checked' is not known"),
        ("uniform:much", "'much'"),
        ("split:0.1,split:0.2", "twice"),
        ("uniform:0.3,tracklet:0.3", "0.5 together"),
        ("merge:-0.1", "from 0"),
    ],
)
def test_patterns_that_cannot_be_planted_are_said(text, said):
    with pytest.raises(FastreidPruneError, match=said):
        parse_patterns(text)
