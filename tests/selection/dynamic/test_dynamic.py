"""Dynamic methods, against what their papers say of them."""

import numpy as np
import pytest

from fastreid_prune.selection.dynamic import DYNAMIC, infobatch, rs2


def test_infobatch_keeps_the_expected_gradient_of_the_whole_set():
    draw = np.random.default_rng(0)
    loss, gradient = draw.exponential(size=400), draw.normal(size=400)
    sums = []
    for seed in range(4000):
        rows, weight = infobatch(loss, 0.5, np.random.default_rng(seed))
        sums.append((weight[rows] * gradient[rows]).sum())
    error = np.mean(sums) - gradient.sum()
    assert abs(error) < 4 * np.std(sums) / np.sqrt(len(sums))


def test_infobatch_prunes_below_the_mean_alone_and_the_share_that_was_asked_for():
    loss = np.random.default_rng(1).exponential(size=1000)
    rows, weight = infobatch(loss, 0.4, np.random.default_rng(0))
    gone = np.setdiff1d(np.arange(1000), rows)
    below = loss < loss.mean()
    assert below[gone].all()
    assert len(gone) == below.sum() - int(0.6 * below.sum())
    assert (weight[~below] == 1).all()
    np.testing.assert_allclose(weight[np.intersect1d(rows, np.flatnonzero(below))], 1 / 0.6)


def test_infobatch_trains_on_everything_until_losses_are_known():
    rows, weight = infobatch(np.full(50, np.nan), 0.5, np.random.default_rng(0))
    assert len(rows) == 50 and (weight == 1).all()


def test_rs2_is_a_fresh_subset_without_repetition_and_every_sample_is_as_likely():
    seen = np.zeros(100)
    for seed in range(2000):
        rows, weight = rs2(np.full(100, np.nan), 0.3, np.random.default_rng(seed))
        assert len(np.unique(rows)) == len(rows) == 70 and (weight == 1).all()
        seen[rows] += 1
    assert abs(seen / 2000 - 0.7).max() < 0.05


@pytest.mark.parametrize("name", DYNAMIC)
def test_a_method_names_its_source_and_is_a_function_of_its_seed(name):
    method = DYNAMIC[name]
    assert "arXiv" in method.source
    loss = np.random.default_rng(2).exponential(size=64)
    first, second = (method.choose(loss, 0.3, np.random.default_rng(5)) for _ in range(2))
    assert (first.rows == second.rows).all() and (first.rows == np.sort(first.rows)).all()
