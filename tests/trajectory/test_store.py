import json
import multiprocessing
import os
import resource
import signal
import time

import numpy as np
import pytest
import torch
from trajectory_reference import assert_equal

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.trajectory import LogitRecorder, Samples, load_trajectory, save_trajectory

N, C = 30, 5


def small_recorder(seed=0, features=True, n=N, c=C):
    generator = torch.Generator().manual_seed(seed)
    samples = Samples.from_items(
        [f"d/é {i}.jpg" for i in range(n)], [f"p_{i % c}" for i in range(n)], [f"c_{i % 3}" for i in range(n)]
    )
    recorder = LogitRecorder(n, c, samples=samples)
    for _ in range(2):
        values = torch.randn(n, 3, generator=generator) if features else None
        logits = torch.randn(n, c, generator=generator)
        recorder.update(torch.arange(n), logits, torch.from_numpy(samples.label), values)
        recorder.end_epoch()
    return recorder


@pytest.mark.parametrize("features", [True, False])
def test_what_is_saved_is_loaded(features, tmp_path):
    recorder = small_recorder(features=features)
    trajectory = recorder.trajectory({"mode": "eval", "seed": 3})
    save_trajectory(trajectory, tmp_path / "prune" / "trajectory")
    for path in (tmp_path, tmp_path / "prune", tmp_path / "prune" / "trajectory"):
        loaded = load_trajectory(path)
        assert_equal(loaded, trajectory)
    assert loaded.meta["mode"] == "eval" and loaded.meta["class_names"] == [f"p_{i}" for i in range(C)]
    assert isinstance(loaded.mean_logits, np.memmap)
    for name in ("file_name", "pid", "camid", "label"):
        np.testing.assert_array_equal(getattr(loaded.samples, name), getattr(recorder.log.samples, name))


def test_same_trajectory_same_bytes_and_streaming_is_the_same_as_arrays(tmp_path):
    recorder = small_recorder()
    save_trajectory(recorder.trajectory(), tmp_path / "a")
    time.sleep(1.1)  # a time stamp in a file would show
    recorder.save(tmp_path / "b")
    save_trajectory(load_trajectory(tmp_path / "a"), tmp_path / "c")
    for name in sorted(os.listdir(tmp_path / "a")):
        first = (tmp_path / "a" / name).read_bytes()
        assert first == (tmp_path / "b" / name).read_bytes() == (tmp_path / "c" / name).read_bytes(), name


def test_a_trajectory_can_be_saved_over_the_one_it_was_loaded_from(tmp_path):
    small_recorder().save(tmp_path)
    before = load_trajectory(tmp_path)
    before.features = None
    save_trajectory(before, tmp_path)
    assert load_trajectory(tmp_path).features is None and not (tmp_path / "features.npy").exists()


@pytest.mark.parametrize(
    "name", ["mean_logits.npy", "epochs.npz", "samples.csv", "features.npy", "meta.json"]
)
@pytest.mark.parametrize("damage", ["missing", "truncated", "empty", "foreign"])
def test_a_damaged_file_is_named(name, damage, tmp_path):
    small_recorder().save(tmp_path)
    file = tmp_path / name
    content = file.read_bytes()
    file.unlink()
    if damage == "truncated":
        file.write_bytes(content[: len(content) * 2 // 3])
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "foreign":
        small_recorder(n=N - 1).save(tmp_path / "other")
        file.write_bytes((tmp_path / "other" / name).read_bytes())
    if damage == "foreign" and name == "meta.json":
        name = "epochs.npz"
    with pytest.raises(FastreidPruneError, match=name):
        load_trajectory(tmp_path)


def test_a_newer_schema_is_refused(tmp_path):
    small_recorder().save(tmp_path)
    meta = json.loads((tmp_path / "meta.json").read_text())
    meta["schema_version"] = 99
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(FastreidPruneError, match="schema version 99.*Install a newer"):
        load_trajectory(tmp_path)


def test_no_trajectory_and_an_incomplete_one_are_told_apart(tmp_path):
    with pytest.raises(FastreidPruneError, match="no trajectory here"):
        load_trajectory(tmp_path)
    small_recorder().save(tmp_path / "prune" / "trajectory")
    (tmp_path / "prune" / "trajectory" / "meta.json").unlink()
    with pytest.raises(FastreidPruneError, match="incomplete"):
        load_trajectory(tmp_path)


def test_a_full_disk_leaves_the_previous_trajectory_whole(tmp_path):
    small_recorder().save(tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        # no file may grow beyond 4 KiB: writes fail as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        with pytest.raises(FastreidPruneError, match="cannot be written"):
            small_recorder(seed=1, n=3000).save(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)} == before


def save_for_ever(trajectories, folder):
    while True:
        for trajectory in trajectories:
            save_trajectory(trajectory, folder)


def test_a_kill_at_any_moment_leaves_one_whole_trajectory_or_a_clear_refusal(tmp_path):
    expected = []
    for seed in (0, 1):
        small_recorder(seed, n=2000).save(tmp_path / str(seed))
        expected.append(load_trajectory(tmp_path / str(seed)))
    save_trajectory(expected[0], tmp_path / "target")
    outcomes = set()
    for moment in range(12):
        arguments = expected, tmp_path / "target"
        process = multiprocessing.get_context("fork").Process(target=save_for_ever, args=arguments)
        process.start()
        time.sleep(0.007 * (moment + 1))
        process.kill()
        process.join()
        try:
            found = load_trajectory(tmp_path / "target")
        except FastreidPruneError as error:
            assert "incomplete" in str(error) or "no trajectory" in str(error)
            outcomes.add("refused")
            continue
        match = [np.array_equal(found.mean_logits, one.mean_logits) for one in expected]
        assert match.count(True) == 1
        assert_equal(found, expected[match.index(True)])
        outcomes.add("whole")
    assert "whole" in outcomes


@pytest.mark.parametrize("named", [True, False])
def test_a_trajectory_of_schema_1_still_opens_with_its_classes_in_string_order(tmp_path, named):
    samples = Samples.from_items(["a.png", "b.png", "c.png"], ["m_10", "m_9", "m_10"], ["m_0"] * 3)
    recorder = LogitRecorder(3, 2, samples=samples)
    recorder.update(torch.arange(3), torch.eye(3)[:, :2], torch.as_tensor(samples.label))
    recorder.end_epoch()
    path = recorder.save(tmp_path) / "meta.json"
    meta = json.loads(path.read_text())
    assert meta["schema_version"] == 2
    meta["schema_version"] = 1
    if not named:
        del meta["class_names"]
    path.write_text(json.dumps(meta))
    again = load_trajectory(tmp_path).samples
    assert again.class_names == ("m_10", "m_9") and again.label.tolist() == samples.label.tolist()


def test_classes_in_the_order_of_a_loop_come_back(tmp_path):
    samples = Samples.from_items(["a", "b", "c"], ["10", "9", "2"])
    recorder = LogitRecorder(3, 11, samples=samples)
    recorder.update(torch.arange(3), torch.zeros(3, 11), torch.tensor([10, 9, 2]))
    recorder.end_epoch()
    recorder.save(tmp_path)
    again = load_trajectory(tmp_path).samples
    assert again.label.tolist() == [10, 9, 2] and again.class_names[9:] == ("9", "10")
