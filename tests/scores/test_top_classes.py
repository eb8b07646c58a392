"""The most probable classes and the entropy where not all logits are computed, beside all of them."""

import numpy as np
import pytest
import torch
from scipy.special import logsumexp

from fastreid_prune.evaluation import inverted_lists
from fastreid_prune.scores import compute, top_classes
from fastreid_prune.scores.entropy import entropy_of_logits
from fastreid_prune.trajectory import FeatureRecorder, load_trajectory

N, C, D, T = 300, 3000, 24, 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of three thousand classes, in which ten samples were never seen."""
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(C, D)) / D**0.5
    label = rng.integers(C, size=N)
    recorder = FeatureRecorder(N, C, tmp_path_factory.mktemp("many") / "trajectory")
    seen = torch.arange(N - 10)
    for epoch in range(T):
        recorder.begin_epoch(torch.tensor(8.0 * (epoch + 1) * weight), torch.tensor(rng.normal(size=C)))
        features = torch.tensor(weight[label] + 0.1 * rng.normal(size=(N, D)))
        recorder.update(seen, features[seen].float(), torch.tensor(label)[seen])
        recorder.end_epoch()
    return recorder.save()


def test_what_is_found_is_exact_and_the_rest_estimated(folder, monkeypatch):
    monkeypatch.setattr(inverted_lists, "EXACT_CLASSES", 500)
    trajectory = load_trajectory(folder)
    logits = trajectory.mean_logits
    found = top_classes.top_classes(trajectory)
    every, seen = logits[:].astype(np.float64), slice(0, N - 10)
    np.testing.assert_allclose(
        np.take_along_axis(every, found.classes, 1)[seen], found.logits[seen], atol=1e-4
    )
    assert (found.classes[seen, 0] == every[seen].argmax(1)).mean() > 0.97 and found.first_found > 0.97
    np.testing.assert_allclose(found.log_total[seen], logsumexp(every[seen], axis=1), atol=0.1)
    off = np.abs(found.entropy - entropy_of_logits(logits[:]))[seen]
    assert off.mean() < 0.05 and found.entropy_error == pytest.approx(off.mean(), rel=0.5)
    assert np.isnan(found.entropy[-10:]).all() and np.isnan(found.log_total[-10:]).all()


def test_logits_of_chosen_classes_are_those_of_the_whole(folder):
    logits = load_trajectory(folder).mean_logits
    rows, classes = np.array([5, 3, 200]), np.array([[1, 2999], [7, 7], [0, 4]])
    np.testing.assert_allclose(
        logits.at(rows, classes), np.take_along_axis(logits[rows], classes, 1), atol=1e-4
    )
    np.testing.assert_allclose(logits.left(rows) @ logits.right(slice(None)).T, logits[rows], atol=1e-4)


def test_entropy_is_estimated_beyond_the_limit_alone_and_kept_until_the_factors_change(folder, monkeypatch):
    exact = compute(load_trajectory(folder), "entropy")
    monkeypatch.setattr(top_classes, "EXACT_LOGITS", N * C - 1)
    estimated = compute(load_trajectory(folder), "entropy")
    assert 0 < np.nanmax(np.abs(estimated - exact)) < 0.3
    kept = folder / "factors" / "top_classes.npz"
    before = kept.stat().st_mtime_ns
    np.testing.assert_array_equal(compute(load_trajectory(folder), "entropy"), estimated)
    assert kept.stat().st_mtime_ns == before
    weight = folder / "factors" / "epoch_0001" / "weight.npy"
    np.save(weight, np.load(weight) * 2)
    assert np.nanmax(np.abs(compute(load_trajectory(folder), "entropy") - estimated)) > 0.2
