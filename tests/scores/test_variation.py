"""Scores of how a prediction varies over the training, against their definitions written out."""

import numpy as np
import pytest
import torch
from scipy.special import softmax

from fastreid_prune import LogitRecorder, load_trajectory, scores
from fastreid_prune.errors import FastreidPruneError

N, C, T = 12, 5, 14


@pytest.fixture
def logits():
    return np.random.default_rng(0).normal(scale=2, size=(T, N, C)).astype(np.float16).astype(np.float32)


@pytest.fixture
def trajectory(logits, tmp_path):
    labels = torch.arange(N) % C
    recorder = LogitRecorder(N, C, keep_logits=tmp_path / "trajectory" / "logits")
    for epoch in logits:
        recorder.update(torch.arange(N), torch.from_numpy(epoch), labels)
        recorder.end_epoch()
    recorder.save(tmp_path / "trajectory")
    return load_trajectory(tmp_path / "trajectory")


def test_dyn_unc_is_the_mean_over_windows_of_the_deviation_of_the_given_probability(trajectory, logits):
    given = softmax(logits.astype(np.float64), axis=2)[:, np.arange(N), np.arange(N) % C]
    expected = np.mean([given[k : k + 10].std(axis=0, ddof=1) for k in range(T - 10 + 1)], axis=0)
    np.testing.assert_allclose(scores.compute(trajectory, "dyn_unc"), expected, rtol=1e-5)


def test_tdds_is_the_decayed_sum_over_windows_of_the_spread_of_the_steps(trajectory, logits):
    p = softmax(logits.astype(np.float64), axis=2)
    step = np.abs(p[1:] * np.log(p[1:] / p[:-1])).sum(axis=2)
    expected = np.zeros(N)
    for k in range(T - 10 + 1):
        inside = step[k : k + 9]
        spread = np.sqrt(((inside - inside.mean(axis=0)) ** 2).sum(axis=0))
        expected += spread * 0.9 * 0.1 ** (T - 10 - k)
    np.testing.assert_allclose(scores.compute(trajectory, "tdds"), expected, rtol=1e-5)


def test_a_short_run_is_one_window(trajectory, logits):
    given = softmax(logits.astype(np.float64), axis=2)[:, np.arange(N), np.arange(N) % C]
    np.testing.assert_allclose(
        scores.compute(trajectory, "dyn_unc", window=100), given.std(axis=0, ddof=1), rtol=1e-5
    )


def test_epochs_without_a_visit_are_left_out_and_a_sample_never_seen_has_no_score():
    recorder = LogitRecorder(3, 2)
    values = torch.tensor([[2.0, 0.0], [0.0, 1.0], [3.0, 0.0]])
    for epoch in range(3):
        rows = torch.tensor([0, 1] if epoch != 1 else [0])
        recorder.update(rows, values[(rows + epoch) % 3], torch.zeros(len(rows), dtype=torch.int64))
        recorder.end_epoch()
    found = scores.compute(recorder.trajectory(), "dyn_unc")
    given = softmax(values.numpy().astype(np.float64), axis=1)[:, 0]
    np.testing.assert_allclose(found[0], given[[0, 1, 2]].std(ddof=1), rtol=1e-5)
    np.testing.assert_allclose(found[1], given[[1, 0]].std(ddof=1), rtol=1e-5)
    assert np.isnan(found[2])


def test_tdds_says_what_it_lacks_where_only_the_mean_was_kept():
    recorder = LogitRecorder(2, 2)
    for _ in range(2):
        recorder.update(torch.tensor([0, 1]), torch.eye(2), torch.tensor([0, 1]))
        recorder.end_epoch()
    with pytest.raises(FastreidPruneError, match="tdds needs the logits of every epoch"):
        scores.compute(recorder.trajectory(), "tdds")
