"""Whether the suggested identity is right: odds bent to the names that planted errors were given."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

from fastreid_prune.purify.relabel_confidence import RelabelConfidence, fit_relabel_confidence


def planted_names(rng, count, clean_share, factor=1.0, offset=0.0):
    """Log odds [S] by general weights, and whether the name is the data set's, where these are bent so."""
    odds = rng.normal(1.5, 2, count)
    right = rng.random(count) < 0.995 * expit(factor * odds + offset)
    return odds, right & (rng.random(count) < clean_share)


def test_names_are_as_likely_as_they_were_met():
    odds, right = planted_names(np.random.default_rng(0), 20000, 1.0, factor=0.6, offset=-0.8)
    naming = fit_relabel_confidence(odds, right, 1.0)
    assert naming.factor == pytest.approx(0.6, abs=0.05) and naming.offset == pytest.approx(-0.8, abs=0.1)
    assert naming(odds).mean() == pytest.approx(right.mean(), abs=0.01)


def test_wrong_labels_of_the_data_set_do_not_count_against_the_names():
    odds, right = planted_names(np.random.default_rng(1), 20000, 0.7)
    naming = fit_relabel_confidence(odds, right, 0.7)
    assert naming.factor == pytest.approx(1, abs=0.1) and naming.offset == pytest.approx(0, abs=0.1)
    # who takes every label of the data set for right finds the names less likely than they are
    assert fit_relabel_confidence(odds, right, 1.0)(odds).mean() < naming(odds).mean() - 0.1


def test_few_names_bend_little():
    odds, right = planted_names(np.random.default_rng(2), 30, 1.0, offset=-3)
    few = fit_relabel_confidence(odds, right, 1.0)
    assert -3 < few.offset < -0.3
    nothing = fit_relabel_confidence(np.empty(0), np.empty(0, bool), 1.0)
    assert (nothing.factor, nothing.offset) == (1, 0)


def test_the_fit_is_the_most_probable_of_a_grid():
    odds, right = planted_names(np.random.default_rng(3), 60, 0.9, factor=1.3, offset=0.5)
    found = fit_relabel_confidence(odds, right, 0.9)

    def log_posterior(factor, offset):
        met = 0.9 * 0.995 * expit(factor * odds + offset)
        belief = norm.logpdf(offset, scale=1.0) + norm.logpdf(np.log(factor), scale=0.3)
        return np.log(np.where(right, met, 1 - met)).sum() + belief

    best = max(log_posterior(f, o) for f in np.linspace(0.5, 2, 61) for o in np.linspace(-2, 3, 101))
    assert log_posterior(found.factor, found.offset) >= best - 1e-6


def test_no_name_is_certain():
    assert RelabelConfidence()(np.array([800.0, -800.0])).tolist() == [0.995, 0]
