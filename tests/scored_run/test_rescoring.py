import numpy as np
import pytest

from fastreid_prune import scores
from fastreid_prune.scored_run.injected import InjectedErrors
from fastreid_prune.scored_run.rescoring import (
    LABEL_FREE,
    GivenScores,
    leads,
    relabelled_scores,
    scores_under,
)


def ahead(trajectory, label):
    """[N] by how much the class ``label`` is ahead of the best other in the mean logits."""
    logits = np.array(trajectory.mean_logits, np.float64)
    own = np.take_along_axis(logits, label[:, None], 1)[:, 0]
    np.put_along_axis(logits, label[:, None], -np.inf, 1)
    return own - logits.max(1)


def test_a_score_that_follows_the_lead_follows_it_under_another_label(noisy):
    trajectory = noisy[0].trajectory
    values = np.tanh(ahead(trajectory, trajectory.labels) / 10)
    rows = np.arange(0, 200, 7)
    label = (trajectory.labels[rows] + 1) % trajectory.num_classes
    new = trajectory.labels.copy()
    new[rows] = label
    found = scores_under(leads(trajectory, rows, label), values)
    expected = np.tanh(ahead(trajectory, new)[rows] / 10)
    # at the ends of the range it is that of the last ones there are
    inside = (expected > np.sort(values)[12]) & (expected < np.sort(values)[-12])
    np.testing.assert_allclose(found, np.clip(expected, *np.quantile(values, [0.005, 1])), atol=0.15)
    np.testing.assert_allclose(found[inside], expected[inside], atol=0.05)


def test_switched_samples_are_scored_as_if_labelled_right(noisy):
    run, _ = noisy
    trajectory = run.trajectory
    raw = scores.compute(trajectory, "aum")
    found = GivenScores(trajectory)("aum", raw)
    assert len(found) == len(run.given)
    kept = ~run.switched
    np.testing.assert_array_equal(found[kept], raw[: len(run.given)][kept])
    fair = run.switched & ~run.wrong & ~run.outlier
    usual = np.median(found[kept & ~run.wrong & ~run.outlier])
    # under the label trained with they are among the hardest, under their own among the others
    assert np.median(raw[: len(run.given)][fair]) > np.quantile(raw, 0.9) > np.median(found[fair])
    assert abs(np.median(found[fair]) - usual) < np.std(found[kept])


@pytest.mark.parametrize("method", LABEL_FREE)
def test_what_does_not_ask_for_the_label_stays(noisy, method):
    run, _ = noisy
    raw = scores.compute(run.trajectory, method)
    np.testing.assert_array_equal(GivenScores(run.trajectory)(method, raw), raw[: len(run.given)])
    new_pid = np.full(len(run.given), "", object)
    new_pid[5] = run.given[6]
    values = raw[: len(run.given)]
    np.testing.assert_array_equal(relabelled_scores(run.trajectory, method, values, new_pid), values)


def test_only_relabelled_samples_are_scored_anew(noisy):
    run, _ = noisy
    raw = scores.compute(run.trajectory, "aum")
    # two more for images that could not be read
    values = np.r_[GivenScores(run.trajectory)("aum", raw), np.nan, 7.0]
    new_pid = np.full(len(values), "", object)
    rows = np.flatnonzero(run.wrong & ~run.switched)
    new_pid[rows] = run.shown[rows]
    before = values.copy()
    found = relabelled_scores(run.trajectory, "aum", values, new_pid)
    rest = np.setdiff1d(np.arange(len(values)), rows)
    np.testing.assert_array_equal(found[rest], values[rest])
    np.testing.assert_array_equal(values, before)
    # a high score is a hard sample
    assert (found[rows] < values[rows]).mean() > 0.95


def test_without_new_names_nothing_changes(noisy):
    run, _ = noisy
    values = np.arange(float(len(run.given)))
    nobody = np.full(len(values), "", object)
    np.testing.assert_array_equal(relabelled_scores(run.trajectory, "aum", values, nobody), values)


def test_where_nothing_was_planted_the_scores_are_the_given_ones(from_logits):
    trajectory = from_logits(np.random.default_rng(0).normal(size=(30, 3)), np.arange(30) % 3)
    values = np.arange(30.0)
    assert InjectedErrors.of(trajectory).dataset_rows.all()
    np.testing.assert_array_equal(GivenScores(trajectory)("aum", values), values)
