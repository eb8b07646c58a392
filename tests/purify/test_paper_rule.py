import numpy as np
import pytest

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.purify import paper_rule

LOGITS = [
    [9, 0, 0, 0],  # as labelled
    [0, 2, 9, 0],  # labelled b, looks like c, then b
    [0, 0.1, 0.2, 0],  # looks like nobody
    [0, 0, 0, 9],
    [3, 0, 0, 2],  # labelled d, a little more like a
    [np.nan] * 4,
]
LABELS = [0, 1, 2, 3, 3, 0]


@pytest.fixture
def trajectory(from_logits):
    return from_logits(LOGITS, LABELS, ["a", "b", "c", "d"])


def test_the_soft_labels_own_class_is_right_and_high_entropy_is_nobody(trajectory):
    found = paper_rule(trajectory)
    assert found.verdict.tolist() == ["clean", "mislabelled", "outlier", "clean", "mislabelled", ""]
    assert found.suggested_pid.tolist() == ["", "c", "", "", "a", ""]
    assert found.runner_up_pid.tolist() == ["", "b", "", "", "d", ""]
    assert found.confidence[1] == pytest.approx(np.exp(9) / (np.exp(9) + np.exp(2) + 2), rel=1e-5)
    assert np.isnan(found.confidence[5])
    assert ["" == reason for reason in found.reason] == [True, False, False, True, False, True]


def test_a_least_probability_keeps_the_unsure(trajectory):
    found = paper_rule(trajectory, least_probability=0.9)
    assert found.verdict.tolist() == ["clean", "mislabelled", "outlier", "clean", "clean", ""]


def test_the_entropy_threshold_is_a_fraction_of_the_ceiling(trajectory):
    assert paper_rule(trajectory, outlier_entropy=1.0).outlier.sum() == 0
    assert (paper_rule(trajectory, outlier_entropy=0.0).verdict[:5] == "outlier").all()


@pytest.mark.parametrize("name", ["outlier_entropy", "least_probability"])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_thresholds_are_fractions(trajectory, name, value):
    with pytest.raises(FastreidPruneError, match=name):
        paper_rule(trajectory, **{name: value})
