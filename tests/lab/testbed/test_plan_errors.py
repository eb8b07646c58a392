"""Planning which errors to plant: shares, patterns, limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastreid_prune.lab.testbed.errors import KINDS, PATTERNS, plan_errors

LABELS = np.repeat(np.array([3, 7, 11, 200, 201]), 200)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_shares_are_exact_and_no_sample_is_planted_twice(pattern):
    errors = plan_errors(LABELS, 0.2, pattern, 0.03, seed=0)
    assert len(errors.wrong) == 200 and len(errors.outliers) == 30
    assert len(set(errors.wrong) | set(errors.outliers)) == 230
    assert (errors.new_label != LABELS[errors.wrong]).all()
    assert set(errors.new_label) <= set(LABELS) and set(errors.kinds) <= set(KINDS)


def test_uniform_errors_go_to_every_other_identity_about_equally_often():
    labels = np.repeat(np.arange(5), 2000)
    errors = plan_errors(labels, 0.4, "uniform", 0.0, seed=1)
    counts = np.zeros((5, 5))
    np.add.at(counts, (labels[errors.wrong], errors.new_label), 1)
    off_diagonal = counts[~np.eye(5, dtype=bool)]
    assert (np.diag(counts) == 0).all()
    # 4,000 errors over 20 pairs: 200 each, with a standard deviation of about 14
    assert abs(off_diagonal - 200).max() < 60


def test_patterned_errors_of_an_identity_go_to_one_other_and_each_identity_receives_from_one():
    errors = plan_errors(LABELS, 0.2, "patterned", 0.0, seed=2)
    pairs = {(int(a), int(b)) for a, b in zip(LABELS[errors.wrong], errors.new_label, strict=True)}
    assert len(pairs) == 5
    assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == 5


def test_the_same_seed_plans_the_same_and_another_seed_does_not():
    first, again, other = (plan_errors(LABELS, 0.1, "uniform", 0.03, seed) for seed in (5, 5, 6))
    assert np.array_equal(first.wrong, again.wrong) and np.array_equal(first.new_label, again.new_label)
    assert np.array_equal(first.outliers, again.outliers) and list(first.kinds) == list(again.kinds)
    assert not np.array_equal(first.wrong, other.wrong)


def test_only_free_samples_are_changed():
    free = np.arange(len(LABELS)) % 3 == 0
    errors = plan_errors(LABELS, 0.1, "uniform", 0.05, 0, free)
    assert free[errors.wrong].all() and free[errors.outliers].all()


@settings(max_examples=60, deadline=None)
@given(
    labels=st.lists(st.integers(0, 6), max_size=60),
    wrong=st.floats(0, 0.5),
    outliers=st.floats(0, 0.3),
    pattern=st.sampled_from(PATTERNS),
    seed=st.integers(0, 9),
)
def test_at_most_half_of_an_identity_is_changed_whatever_the_labels(labels, wrong, outliers, pattern, seed):
    labels = np.array(labels, dtype=int)
    errors = plan_errors(labels, wrong, pattern, outliers, seed)
    changed = np.r_[errors.wrong, errors.outliers].astype(int)
    assert len(set(changed)) == len(changed)
    for label in set(labels):
        assert (labels[changed] == label).sum() <= (labels == label).sum() // 2
    assert (errors.new_label != labels[errors.wrong]).all()
