"""How many names are right, against a truth that the simulation knows."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit

from fastreid_prune.purify.claims import lowest_threshold
from fastreid_prune.purify.false_alarms import estimate_false_alarms
from fastreid_prune.purify.fitting import Injected, Scores
from fastreid_prune.purify.name_candidates import NameCandidates


def scores_of(unfit, likeness):
    return Scores(unfit, logit(np.clip(expit(unfit) * likeness, 1e-12, 1 - 1e-9)))


class Simulated:
    """Right labels seldom look like one other identity, wrong ones mostly do, outliers in between."""

    def __init__(self, seed, right=2000, wrong=250, outliers=0, injected=100, named=0.95):
        rng = np.random.default_rng(seed)
        count = right + wrong + outliers
        self.wrong = (np.arange(count) >= right) & (np.arange(count) < right + wrong)
        unfit = np.r_[
            -8 + rng.exponential(1.2, right), rng.normal(3, 1.5, wrong), rng.normal(2, 1.5, outliers)
        ]
        likeness = np.r_[rng.beta(1, 4, right), rng.beta(8, 1, wrong), rng.beta(2, 4, outliers)]
        self.scores = scores_of(unfit, likeness)
        self.right_name = self.wrong & (rng.random(count) < named)
        # every pair of a label and a suggested one is another, but for what a test says
        self.pair = np.arange(count)
        self.injected = Injected(
            scores_of(rng.normal(3, 1.5, injected), rng.beta(8, 1, injected)),
            rng.random(injected) < named,
            scores_of(rng.normal(2, 1.5, 40), rng.beta(2, 4, 40)),
            -1 - np.arange(injected),
        )
        self.control = -8 + rng.exponential(1.2, injected)
        self.alarms = estimate_false_alarms(unfit, [self.injected.switched.unfit], draws=60)
        kinds = [self.injected.switched.named, self.injected.composed.named]
        self.outliers = estimate_false_alarms(self.scores.named, kinds, draws=60)

    def candidates(self):
        return NameCandidates(self.scores, self.alarms, self.outliers, self.injected, self.control, self.pair)

    def named(self, threshold):
        found = self.candidates()
        return (self.scores.named >= threshold) & (self.scores.unfit >= found.least_unfit(threshold))


@pytest.mark.parametrize(("outliers", "named"), [(0, 0.98), (80, 0.98), (0, 0.9)])
def test_the_truth_is_not_below_the_pessimistic_end_of_what_is_claimed(outliers, named):
    claims = []
    for seed in range(10):
        run = Simulated(seed, outliers=outliers, named=named)
        chosen, _ = lowest_threshold(run.candidates(), 0.9)
        if chosen is not None:
            claims.append(run.right_name[run.named(chosen.threshold)].mean() - chosen.low)
    assert len(claims) >= 5 and np.mean(np.array(claims) >= 0) >= 0.9 and min(claims) > -0.03


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_right_labels_that_are_named_are_expected_about_as_often_as_they_are(threshold):
    expected, met = [], []
    for seed in range(10):
        run = Simulated(seed)
        named = run.named(threshold)
        expected.append(run.candidates().right_labels(threshold).mean())
        met.append((named & ~run.wrong).sum())
    assert np.mean(met) - 0.5 <= np.mean(expected) < np.mean(met) + 2


def test_outliers_among_the_names_are_expected_where_there_are_any():
    without, with_them = (
        np.mean([Simulated(seed, outliers=n).candidates().wrong_names(0.0).mean() for seed in range(6)])
        for n in (0, 150)
    )
    assert with_them > without + 5


def test_a_name_that_disagrees_with_a_wrong_label_of_the_data_set_does_not_count():
    run = Simulated(0, named=0.8)
    found, right = run.candidates().names(0.0)
    doubted = replace(run.candidates(), control=np.where(run.injected.name_right, run.control, 6.0))
    assert found - right > 5 and doubted.names(0.0)[1] == right
    assert doubted.names(0.0)[0] - right < 0.2 * (found - right)


def test_names_that_come_in_groups_are_noticed():
    run = Simulated(0)
    assert run.candidates().in_groups(0.0) <= 0
    run.pair = np.where(run.wrong, -1 - np.arange(len(run.wrong)) // 5, run.pair)
    run.injected = replace(run.injected, pair=10**6 + run.injected.pair)
    assert run.candidates().in_groups(0.0) > 0.9


def test_few_identities_make_no_groups():
    """Among ten identities any error has company by chance, and injected ones have it too."""
    run, rng = Simulated(0), np.random.default_rng(0)
    run.pair = rng.integers(90, size=len(run.pair))
    run.injected = replace(run.injected, pair=rng.integers(90, size=len(run.injected.pair)))
    assert run.candidates().in_groups(0.0) < 0.05
