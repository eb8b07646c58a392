"""How many clips are in doubt."""

import numpy as np

from fastreid_prune.purify.clip_doubt import in_doubt
from fastreid_prune.purify.false_alarms import estimate_false_alarms


def drawn(rng: np.random.Generator, right: int, wrong: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores of right labels and of wrong ones, and which are wrong."""
    score = np.r_[rng.normal(-6, 2.5, right), rng.normal(4, 2, wrong)]
    return score, np.arange(right + wrong) >= right


def test_as_many_are_in_doubt_as_are_wrong_and_hardly_any_other():
    rng = np.random.default_rng(0)
    score, wrong = drawn(rng, 900, 100)
    alarms = estimate_false_alarms(score, [rng.normal(4, 2, 50)])
    doubted = in_doubt(score, np.ones(1000, bool), alarms)
    assert doubted.sum() == int(alarms.expected_errors) and 70 <= doubted.sum() <= 110
    assert wrong[doubted].mean() > 0.95


def test_in_a_set_without_errors_hardly_any_is():
    rng = np.random.default_rng(1)
    score, _ = drawn(rng, 1000, 0)
    alarms = estimate_false_alarms(score, [rng.normal(4, 2, 50)])
    assert (score > 0).sum() > 3 >= in_doubt(score, np.ones(1000, bool), alarms).sum()


def test_what_is_more_likely_right_is_never_in_doubt():
    rng = np.random.default_rng(2)
    score, _ = drawn(rng, 900, 100)
    alarms = estimate_false_alarms(score, [rng.normal(4, 2, 50)])
    assert not in_doubt(score - 20, np.ones(1000, bool), alarms).any()


def test_of_what_was_changed_as_large_a_share_is_and_of_what_is_not_ones_own_nothing():
    rng = np.random.default_rng(3)
    score, wrong = drawn(rng, 900, 100)
    alarms = estimate_false_alarms(score, [rng.normal(4, 2, 50)])
    changed, other_score = np.zeros(1100, bool), np.full(50, 9.0)
    changed[1000:1050] = True
    everything = np.r_[score, other_score, np.full(50, 9.0)]
    doubted = in_doubt(everything, np.arange(1100) < 1000, alarms, [changed])
    assert (
        doubted[1000:1050].sum() == int(alarms.expected_errors / 1000 * 50) > 0 and not doubted[1050:].any()
    )


def test_where_nothing_is_known_nothing_is():
    assert not in_doubt(np.full(3, 9.0), np.ones(3, bool), None).any()
