"""Bounds by injected errors, against a truth that the simulation knows."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import binom

from fastreid_prune.purify.claims import NAMES, Beyond, Claim, least_low, lowest_threshold, worth
from fastreid_prune.purify.false_alarms import estimate_false_alarms, share_at_most


def simulated(rng, *, right=2000, wrong=200, apart=11.0, decay=1.2, injected=80):
    """Scores of right labels with an exponential upper tail, of wrong ones, and of injected ones that score alike."""
    clean = -8 + rng.exponential(decay, right)
    errors, known = (-8 + apart + rng.normal(scale=1.5, size=count) for count in (wrong, injected))
    return np.r_[clean, errors], np.arange(right + wrong) >= right, known


@pytest.mark.parametrize("wrong", [100, 300, 900])
def test_the_share_of_errors_is_not_above_its_bound(wrong):
    held = []
    for seed in range(40):
        score, is_wrong, known = simulated(np.random.default_rng(seed), wrong=wrong)
        held.append(is_wrong.mean() <= share_at_most(score, known))
    assert np.mean(held) >= 0.9


def test_where_errors_stand_apart_the_bound_is_near_the_truth():
    score, is_wrong, known = simulated(np.random.default_rng(1), injected=400)
    assert is_wrong.mean() <= share_at_most(score, known) < 1.3 * is_wrong.mean()


@pytest.mark.parametrize(
    ("apart", "wrong"), [(11.0, 200), (8.0, 200), (8.0, 60), (6.0, 300), (4.0, 200), (11.0, 0)]
)
def test_the_truth_is_not_below_the_pessimistic_end(apart, wrong):
    held = []
    for seed in range(15):
        score, is_wrong, known = simulated(np.random.default_rng(seed), apart=apart, wrong=wrong)
        alarms = estimate_false_alarms(score, [known], draws=60)
        threshold = alarms.start + 2.0
        here = worth(Beyond(score, alarms), threshold)
        truth = is_wrong[score >= threshold].mean()
        held.append(here.low - 1e-9 <= truth)
    assert np.mean(held) >= 0.9


def test_what_is_claimed_is_true_or_nothing_is_claimed():
    claims = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        score, is_wrong, known = simulated(
            rng, apart=rng.uniform(2, 12), wrong=int(rng.integers(0, 500)), decay=rng.uniform(0.8, 2.0)
        )
        chosen, _ = lowest_threshold(Beyond(score, estimate_false_alarms(score, [known], draws=60)), 0.95)
        if chosen is not None and chosen.count >= 20:
            claims.append(is_wrong[score >= chosen.threshold].mean() - chosen.low)
    assert len(claims) >= 15 and np.mean(np.array(claims) >= 0) >= 0.9 and min(claims) > -0.05


def test_a_clean_data_set_gets_no_verdicts():
    for seed in range(10):
        score, _, known = simulated(np.random.default_rng(seed), wrong=0)
        chosen, _ = lowest_threshold(Beyond(score, estimate_false_alarms(score, [known])), 0.95)
        assert chosen is None or chosen.count <= 3


def test_injected_errors_that_score_as_right_labels_do_vouch_for_nothing():
    rng = np.random.default_rng(0)
    score = np.r_[-8 + rng.exponential(1.5, 2000), -8 + rng.exponential(1.8, 200)]
    alarms = estimate_false_alarms(score, [-8 + rng.exponential(1.8, 60)])
    assert lowest_threshold(Beyond(score, alarms), 0.95)[0] is None


@dataclass(frozen=True)
class Named(Beyond):
    """Verdicts with names, of which so many injected ones were found and all named rightly."""

    found: int = 0

    def names(self, threshold):
        return self.found, self.found


def test_names_are_no_surer_than_those_of_injected_errors():
    """All right names of a few prove less than of many: the pessimistic end is Clopper and Pearson's."""
    score, _, known = simulated(np.random.default_rng(2), wrong=600)
    alarms = estimate_false_alarms(score, [known], draws=2000)
    lows = [worth(Named(score, alarms, found=found), 2.0).low for found in (10, 40, 400)]
    exact = [0.05 ** (1 / found) for found in (10, 40, 400)]
    assert lows[0] < lows[1] < lows[2] and lows == pytest.approx(exact, abs=0.03)
    # the one-sided interval by its definition: so few failures have a chance of 5 % there
    assert binom.cdf(0, 40, 1 - exact[1]) == pytest.approx(0.05)


def test_more_precision_takes_a_higher_threshold():
    score, _, known = simulated(np.random.default_rng(3), apart=8.0)
    alarms = estimate_false_alarms(score, [known])
    chosen = [lowest_threshold(Beyond(score, alarms), asked)[0] for asked in (0.7, 0.9, 0.97)]
    assert [one.threshold for one in chosen] == sorted(one.threshold for one in chosen)
    assert all(
        one.precision >= asked and one.low >= least_low(asked)
        for one, asked in zip(chosen, (0.7, 0.9, 0.97), strict=True)
    )


@pytest.mark.parametrize(("samples", "injected"), [(20, 60), (2000, 10), (0, 0)])
def test_too_little_gives_no_estimate(samples, injected):
    rng = np.random.default_rng(0)
    assert estimate_false_alarms(rng.normal(size=samples), [rng.normal(size=injected) + 5]) is None


def test_the_estimate_is_always_the_same_and_does_not_ask_for_units():
    score, _, known = simulated(np.random.default_rng(4))
    one, again = (estimate_false_alarms(score, [known]) for _ in range(2))
    scaled = estimate_false_alarms(3 * score + 7, [3 * known + 7])
    np.testing.assert_array_equal(one.tails[0].right, again.tails[0].right)
    assert scaled.right_beyond(3 * 0.5 + 7) == pytest.approx(one.right_beyond(0.5), rel=1e-3, abs=1e-6)


def test_a_claim_survives_its_file():
    claim = Claim(NAMES, 0.95, 7, 0.961, 0.9, 1.0, 2.5)
    assert Claim.from_json(claim.to_json() | {"of another version": 1}) == claim and claim.stands
    assert not Claim(NAMES, 0.95, refused="so").stands
