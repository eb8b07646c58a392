"""From evidence to probabilities: scale, shares by expectation maximisation, adaptation to planted errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize
from scipy.special import softmax

from fastreid_prune.purify.calibration import (
    NUM_FOLDS,
    Adaptation,
    Scale,
    Weights,
    adapt,
    folds,
    posterior,
    shares,
)

# where the likelihood ratios of three Gaussians of variance 1 lie: clean at 0, the others here
MEANS = np.array([[0.0, 0.0], [3.0, 0.5], [-0.5, 3.0]])


def gaussian_ratios(rng, kinds, means=MEANS):
    """[N, 3] log p(x | class) - log p(x | clean) of points drawn from the classes ``kinds`` [N]."""
    x = rng.normal(size=(len(kinds), 2)) + means[kinds]
    return x @ means.T - (means**2).sum(1) / 2


def bent(likelihood, factors, offsets):
    """General likelihoods that the adaptation (factors, offsets) makes right."""
    return np.c_[np.zeros(len(likelihood)), (likelihood[:, 1:] - offsets) @ np.linalg.inv(factors).T]


def test_scale_measures_from_the_median_in_half_widths_of_the_middle_half():
    columns = np.arange(101.0)[:, None] * [1.0, -3.0] + [7.0, 0.0]
    z = Scale.of(columns)(columns)
    assert z[50].tolist() == [0, 0] and z[75] == pytest.approx([1, -1]) and z[25] == pytest.approx([-1, 1])


@given(arrays(float, (40, 2), elements=st.floats(-100, 100)), st.floats(0.5, 20), st.floats(-50, 50))
def test_scale_does_not_ask_for_units(columns, factor, offset):
    columns = columns + np.linspace(-40, 40, 40)[:, None] * 10
    moved = columns * factor + offset
    np.testing.assert_allclose(Scale.of(columns)(columns), Scale.of(moved)(moved), atol=1e-6)


def test_scale_is_logarithmic_far_out_and_keeps_the_order():
    usual = Scale(np.zeros(1), np.ones(1))
    z = usual(np.array([[3.0], [4.0], [5.0], [104.0], [-104.0], [1e9]]))[:, 0]
    assert z[:3] == pytest.approx([3, 4, 4 + np.log(2)]) and z[3] == -z[4] == pytest.approx(4 + np.log(101))
    assert z[5] < 30 and (np.diff(z[[0, 1, 2, 3, 5]]) > 0).all()


def test_what_is_not_known_is_usual():
    columns = np.random.default_rng(0).normal(size=(50, 2))
    columns[3, 1] = np.nan
    usual = Scale.of(columns)
    assert usual(columns)[3, 1] == 0 and np.isfinite(usual.middle).all()
    assert np.isfinite(Scale.of(np.ones((9, 1)))(np.array([[5.0]]))).all()


def test_weights_are_measured_against_clean():
    weights = Weights(np.array([[1.0, 2], [3, 4], [5, 6]]), np.array([0.5, 1, 2]))
    found = weights.log_likelihood(np.array([[1.0, -1]]))
    assert found.tolist() == [[0, (3 - 4 + 1) - (1 - 2 + 0.5), (5 - 6 + 2) - (1 - 2 + 0.5)]]


@given(arrays(float, (7, 3), elements=st.floats(-600, 600)), st.floats(0.01, 0.98))
def test_posterior_is_bayes(likelihood, clean):
    share = np.array([clean, (1 - clean) / 3, 2 * (1 - clean) / 3])
    found = posterior(likelihood, share)
    np.testing.assert_allclose(found, softmax(likelihood + np.log(share), axis=1), atol=1e-12)


@pytest.mark.parametrize("true", [(0.8, 0.15, 0.05), (0.97, 0.02, 0.01), (0.5, 0.2, 0.3)])
def test_shares_are_those_of_the_mixture(true):
    rng = np.random.default_rng(1)
    kinds = rng.choice(3, 6000, p=true)
    found = shares(gaussian_ratios(rng, kinds))
    assert found == pytest.approx(
        np.bincount(kinds) / len(kinds), abs=0.015
    ) and found.sum() == pytest.approx(1)


def test_shares_are_a_maximum_of_the_likelihood():
    rng = np.random.default_rng(2)
    ratios = gaussian_ratios(rng, rng.choice(3, 800, p=(0.8, 0.1, 0.1)))
    found = shares(ratios)

    def likelihood(share):
        return np.log(np.exp(ratios) @ share).mean()

    for direction in (np.array([1, -1, 0]), np.array([1, 0, -1]), np.array([0, 1, -1])):
        for step in (1e-2, -1e-2):
            assert likelihood(found) > likelihood(found + step * direction)


def test_a_data_set_without_errors_has_hardly_any_share_of_them():
    rng = np.random.default_rng(3)
    assert shares(gaussian_ratios(rng, np.zeros(3000, int)))[0] > 0.98


def planted_data(rng, factors=np.eye(2), offsets=np.zeros(2), count=2500):  # noqa: B008
    kinds = rng.choice(3, 6000, p=(0.92, 0.05, 0.03))
    parts = (kinds, np.full(count, 1), np.full(count, 2))
    return [bent(gaussian_ratios(rng, part), factors, offsets) for part in parts], kinds


def test_nothing_is_adapted_where_the_general_weights_are_right():
    found = [adapt(*planted_data(np.random.default_rng(seed))[0]).adaptation for seed in range(4)]
    np.testing.assert_allclose(np.mean([one.factors for one in found], 0), np.eye(2), atol=0.05)
    # an offset is what the data set's own errors, which nobody named, leave unsure
    np.testing.assert_allclose(np.mean([one.offsets for one in found], 0), 0, atol=0.15)


def test_a_known_bend_and_the_shares_are_found_though_the_data_set_holds_errors_of_its_own():
    factors, offsets = np.array([[1.3, 0.2], [-0.1, 0.8]]), np.array([0.8, -0.6])
    (own, wrong, outliers), kinds = planted_data(np.random.default_rng(5), factors, offsets)
    adapted = adapt(own, wrong, outliers)
    found, share = adapted.adaptation, adapted.share
    assert found.factors == pytest.approx(factors, abs=0.1) and found.offsets == pytest.approx(
        offsets, abs=0.2
    )
    # the general weights get the shares wrong
    true = np.bincount(kinds) / len(kinds)
    assert share == pytest.approx(true, abs=0.01) and share.sum() == pytest.approx(1)
    assert np.abs(shares(own) - true).max() > np.abs(share - true).max()


def test_a_spotless_data_set_gets_hardly_any_share_of_errors():
    rng = np.random.default_rng(9)
    own = gaussian_ratios(rng, np.zeros(3000, int))
    planted = [gaussian_ratios(rng, np.full(count, kind)) for kind, count in ((1, 60), (2, 40))]
    assert adapt(own, *planted).share[0] > 0.97


def test_adaptation_is_the_most_likely_one_by_the_model_written_plainly():
    """A sample of the mixture or of one of its parts: which, given its evidence? Minimised by finite differences."""
    factors, offsets = np.array([[0.9, 0.1], [0.1, 1.2]]), np.array([-0.5, 0.5])
    samples, _ = planted_data(np.random.default_rng(6), factors, offsets, count=60)
    samples[0] = samples[0][:400]

    def loss(flat):
        share = softmax(np.r_[0, flat[6:]])
        total = -(np.array([1, 7, 3]) * np.log(share)).sum()
        total += ((flat[:4] - [1, 0, 0, 1]) ** 2).sum() / (2 * 0.3**2) + (flat[4:6] ** 2).sum() / (2 * 2.0**2)
        for source, some in enumerate(samples):
            density = np.exp(np.c_[np.zeros(len(some)), some[:, 1:] @ flat[:4].reshape(2, 2).T + flat[4:6]])
            weighed = np.c_[400 * density @ share, 60 * density[:, 1:]]
            total -= np.log(weighed[:, source] / weighed.sum(1)).sum()
        return total

    expected = minimize(loss, np.r_[np.eye(2).ravel(), 0, 0, -2, -2]).x
    adapted = adapt(*samples)
    found = adapted.adaptation
    np.testing.assert_allclose(np.r_[found.factors.ravel(), found.offsets], expected[:6], atol=5e-3)
    np.testing.assert_allclose(adapted.share, softmax(np.r_[0, expected[6:]]), atol=1e-3)


def test_no_outliers_planted_is_no_error():
    (own, wrong, _), _ = planted_data(np.random.default_rng(7), count=40)
    found = adapt(own, wrong, np.zeros((0, 3)))
    numbers = np.r_[found.adaptation.factors.ravel(), found.adaptation.offsets, found.share]
    assert np.isfinite(numbers).all()


def test_a_clean_samples_likelihood_stays_the_measure():
    likelihood = gaussian_ratios(np.random.default_rng(8), np.array([0, 1, 2]))
    bent_ones = Adaptation(np.array([[1.3, 0.2], [-0.1, 0.8]]), np.array([0.5, -0.5]))(likelihood)
    np.testing.assert_array_equal(bent_ones[:, 0], 0)


@given(st.integers(0, 200))
def test_folds_are_even_and_always_the_same(count):
    found = folds(count)
    sizes = np.bincount(found, minlength=NUM_FOLDS)
    assert len(found) == count and len(sizes) == NUM_FOLDS and sizes.max() - sizes.min() <= 1
    np.testing.assert_array_equal(found, folds(count))
