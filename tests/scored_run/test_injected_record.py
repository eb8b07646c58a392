"""What a trajectory's meta says of planted errors, row by row."""

import copy
from dataclasses import replace

import numpy as np
import pytest

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.scored_run.injected import InjectedErrors, given_samples, record_of


def test_rows_are_found_under_the_data_sets_own_labels(noisy):
    run, _ = noisy
    planted = InjectedErrors.of(run.trajectory)
    own = len(run.given)
    np.testing.assert_array_equal(np.flatnonzero(planted.dataset_rows), np.arange(own))
    np.testing.assert_array_equal(planted.switched[:own], run.switched)
    assert run.switched.sum() == 60 and not planted.switched[own:].any()
    names = np.array(run.trajectory.samples.class_names, object)
    np.testing.assert_array_equal(names[planted.label[:own]], run.given)
    np.testing.assert_array_equal(planted.label[own:], run.trajectory.labels[own:])


def test_the_given_samples_are_the_data_sets(noisy):
    run, _ = noisy
    samples = given_samples(run.trajectory)
    assert len(samples) == len(run.given)
    np.testing.assert_array_equal(samples.pid, run.given)
    assert np.array([samples.class_names[label] for label in samples.label]).tolist() == run.given.tolist()
    np.testing.assert_array_equal(samples.file_name, run.trajectory.samples.file_name[: len(run.given)])


def test_where_nothing_was_planted_everything_is_the_data_sets(from_logits):
    trajectory = from_logits(np.zeros((6, 3)), np.arange(6) % 3)
    planted = InjectedErrors.of(trajectory)
    assert planted.dataset_rows.all() and not planted.switched.any()
    np.testing.assert_array_equal(planted.label, trajectory.labels)
    np.testing.assert_array_equal(given_samples(trajectory).pid, trajectory.samples.pid)


def test_the_trajectory_is_left_as_it_was(noisy):
    run, _ = noisy
    labels = run.trajectory.labels.copy()
    InjectedErrors.of(run.trajectory).label[:] = 0
    np.testing.assert_array_equal(run.trajectory.labels, labels)


@pytest.mark.parametrize("damage", ["another file", "another identity", "another outlier"])
def test_a_record_of_another_run_is_refused(noisy, damage):
    trajectory = noisy[0].trajectory
    record = copy.deepcopy(trajectory.meta["calibration"])
    first = next(iter(record["switched"]))
    if damage == "another file":
        record["switched"]["nowhere.jpg"] = record["switched"].pop(first)
    elif damage == "another identity":
        record["switched"][first] = "duke_1"
    else:
        record["composed"]["planted/chimera_99999.png"] = "chimera"
    with pytest.raises(FastreidPruneError, match="does not fit samples.csv"):
        InjectedErrors.of(replace(trajectory, meta=trajectory.meta | {"calibration": record}))


def test_the_record_names_rows_by_file():
    given = {2: "m_1", 0: "m_2", 1: "m_2"}
    record = record_of(["a.jpg", "b.jpg", "c.jpg"], given, {"planted/x.png": "chimera"}, [(0, 1)])
    assert record["switched"] == {"a.jpg": "m_2", "b.jpg": "m_2", "c.jpg": "m_1"}
    assert record["composed"] == {"planted/x.png": "chimera"} and record["clips"] == [["a.jpg", "b.jpg"]]


def test_a_moved_clip_is_given_under_its_true_label_and_is_no_switched_image(noisy):
    trajectory = noisy[0].trajectory
    alone = InjectedErrors.of(trajectory)
    record = trajectory.meta["calibration"] | {
        "clips": [list(trajectory.meta["calibration"]["switched"])[:3]]
    }
    planted = InjectedErrors.of(replace(trajectory, meta=trajectory.meta | {"calibration": record}))
    assert (planted.clip >= 0).sum() == 3 and planted.switched.sum() == 57
    np.testing.assert_array_equal(planted.moved, alone.switched)
    np.testing.assert_array_equal(planted.label, alone.label)
