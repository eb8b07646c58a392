import numpy as np
import pytest
import torch

from fastreid_prune import scores
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.scores import registry
from fastreid_prune.scores.registry import mean_of_runs
from fastreid_prune.trajectory import LogitRecorder


@pytest.fixture
def trajectory():
    recorder = LogitRecorder(5, 3)
    recorder.update(torch.arange(5), torch.randn(5, 3), torch.arange(5) % 3)
    recorder.end_epoch()
    return recorder.trajectory()


def test_all_the_papers_methods_are_there_with_source_and_direction():
    names = {"entropy", "random", "forgetting", "el2n", "prototypes", "moving_average_loss", "aum"}
    assert names <= set(scores.available())
    for name in names:
        method = scores.get(name)
        assert method.source and method.direction and method.score.__doc__


def test_an_unknown_method_or_option_is_refused_with_what_there_is(trajectory):
    with pytest.raises(FastreidPruneError, match="no method 'entrpy'.*Did you mean 'entropy'"):
        scores.compute(trajectory, "entrpy")
    with pytest.raises(FastreidPruneError, match="el2n: no option epohc; it has epoch"):
        scores.compute(trajectory, "el2n", epohc=1)


def test_a_new_method_is_one_function(trajectory, monkeypatch):
    monkeypatch.setattr(registry, "_METHODS", dict(registry._METHODS))

    @scores.method("label", source="here", direction="a high class number")
    def label(trajectory, times=1):
        return trajectory.labels * times

    assert "label" in scores.available()
    np.testing.assert_array_equal(scores.compute(trajectory, "label", times=2), [0, 2, 4, 0, 2])


def test_the_mean_of_runs_leaves_out_runs_without_a_score():
    found = mean_of_runs([np.array([1.0, np.nan, np.nan]), np.array([3.0, 5.0, np.nan])])
    np.testing.assert_array_equal(found, [2, 5, np.nan])
