"""Judging a run with factors on disk: broken and gone on with, and by Ray with workers that die, comes to the same."""

import importlib
import os
import shutil
import signal
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from fastreid_prune.evaluation import inverted_lists
from fastreid_prune.io.ray_cluster import RayBlocks
from fastreid_prune.purify import (
    candidate_classes,
    clip_evidence,
    evidence,
    judge_run,
    neighbours,
    reference_set,
)
from fastreid_prune.scores import top_classes
from fastreid_prune.trajectory import FeatureRecorder, load_trajectory
from fastreid_prune.trajectory.fingerprint import fingerprint
from tests.synthetic_run import synthetic_run

SMALL = {
    top_classes: {"EXACT_LOGITS": 0, "_BLOCK_BYTES": 200_000},
    inverted_lists: {"EXACT_ROWS": 200, "EXACT_CLASSES": 20},
    clip_evidence: {"EXACT_PAIRS": 0},
    neighbours: {"_QUERIES": 100},
    candidate_classes: {"_QUERIES": 300},
    reference_set: {"_BLOCK_BYTES": 30_000},
    evidence: {"_BLOCK_BYTES": 30_000},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run whose logits are its features times a matrix, with clips moved on purpose."""
    run = synthetic_run(samples=900, identities=40, clips=True).trajectory
    folder = tmp_path_factory.mktemp("factors") / "run"
    recorder = FeatureRecorder(
        run.num_samples, run.num_classes, folder / "prune" / "trajectory", samples=run.samples
    )
    rows = torch.arange(run.num_samples)
    for _ in range(2):
        recorder.begin_epoch(torch.eye(run.num_classes), torch.zeros(run.num_classes))
        recorder.update(rows, torch.tensor(np.asarray(run.mean_logits)), torch.tensor(run.labels))
        recorder.end_epoch()
    recorder.save(run.meta)
    return folder


@pytest.fixture
def blocks(monkeypatch):
    """Every set is a large one, and blocks are small."""
    for module, values in SMALL.items():
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)


class Breaks:
    """A pool that does blocks here, up to one of a step, where all ends."""

    def __init__(self, step="", block=0):
        self.step, self.block, self.done = step, block, []

    def map(self, function, common, blocks):
        for number, block in enumerate(blocks):
            if function.__name__ == self.step and number == self.block:
                raise KeyboardInterrupt
            self.done.append(function.__name__)
            yield function(*common, block)


class DiesOnce:
    """The function, in a process that is killed when it is first called."""

    def __init__(self, function, folder):
        self.function, self.mark = function, folder / function.__name__

    def __call__(self, *arguments):
        try:
            self.mark.touch(exist_ok=False)
        except FileExistsError:
            return self.function(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)


class Dying(RayBlocks):
    """Ray, whose worker is killed once at every kind of block."""

    def __init__(self, address, folder):
        super().__init__(address)
        self.folder = folder

    def map(self, function, common, blocks):
        return super().map(DiesOnce(function, self.folder), common, blocks)


def judged(folder, into, pool=None):
    if not into.exists():
        shutil.copytree(folder, into)
    return judge_run(into, pool=pool)


def assert_same(found, expected):
    for name in ("verdict", "suggested_pid", "runner_up_pid", "confidence", "reason"):
        np.testing.assert_array_equal(
            getattr(found.ruling.verdicts, name), getattr(expected.ruling.verdicts, name)
        )
    np.testing.assert_array_equal(found.ruling.wrong, expected.ruling.wrong)
    np.testing.assert_array_equal(found.ruling.outlier, expected.ruling.outlier)
    assert found.identities == expected.identities


def test_what_was_done_before_a_break_is_not_done_again(folder, blocks, tmp_path):
    counting = Breaks()
    expected = judged(folder, tmp_path / "whole", counting)
    assert {"_nearest", "_look_up", "_against", "_weigh", "_most_similar"} == set(counting.done)
    assert expected.ruling.verdicts.mislabelled.sum() > 5
    broken = tmp_path / "broken"
    with pytest.raises(KeyboardInterrupt):
        judged(folder, broken, Breaks("_weigh", 2))
    kept = broken / "prune" / "trajectory" / "factors" / "judging"
    assert kept.is_dir()
    rest = Breaks()
    assert_same(judged(folder, broken, rest), expected)
    assert not kept.exists()
    for step, before in (("_nearest", None), ("_look_up", None), ("_against", None), ("_weigh", 2)):
        again = rest.done.count(step)
        assert again == (0 if before is None else counting.done.count(step) - before), step


def test_what_was_kept_is_of_that_trajectory_alone(folder, tmp_path):
    copy = shutil.copytree(folder / "prune" / "trajectory", tmp_path / "trajectory")
    before = load_trajectory(copy)
    assert fingerprint(before) == fingerprint(load_trajectory(copy))
    changed = replace(before, labels=before.labels[::-1]), replace(before, meta={**before.meta, "seed": 7})
    weight = copy / "factors" / "epoch_0000" / "weight.npy"
    np.save(weight, 2 * np.load(weight))
    names = {fingerprint(one) for one in (before, *changed)}
    assert len({*names, fingerprint(load_trajectory(folder / "prune" / "trajectory"))}) == 4


@pytest.mark.slow
def test_ray_comes_to_the_same_bits_though_a_worker_is_killed_at_every_kind_of_block(
    folder, blocks, tmp_path
):
    cluster_utils = pytest.importorskip("ray.cluster_utils")
    # workers cannot import this file
    importlib.import_module("ray.cloudpickle").register_pickle_by_value(sys.modules[__name__])
    expected = judged(folder, tmp_path / "here")
    marks = tmp_path / "marks"
    marks.mkdir()
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    try:
        with Dying(cluster.address, marks) as pool:
            found = judged(folder, tmp_path / "ray", pool)
    finally:
        cluster.shutdown()
    assert len(list(marks.iterdir())) == 5
    assert_same(found, expected)
