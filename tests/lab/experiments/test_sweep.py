"""Whole sweeps with real trainings: killed and resumed, failing, planned, on Ray."""

import csv
import fcntl
import json
import os
import re
import signal
import time

import pytest

from fastreid_prune.lab.experiments import plan_sweep
from fastreid_prune.lab.experiments.table import TIMES


def rows(folder):
    with open(folder / "results.csv", newline="") as file:
        return list(csv.DictReader(file))


def wait_for(condition, seconds=600):
    limit = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < limit, "it never came to that"
        time.sleep(0.1)
    return found


def states(folder):
    return {path.parent.name: json.loads(path.read_text()) for path in folder.glob("runs/*/state.json")}


def without_times(table):
    ignored = {*TIMES, "attempts", "folder"}
    return [{key: text for key, text in row.items() if key not in ignored} for row in table]


def left_alone(folder):
    """Wait until no training holds a run's folder."""
    for lock in folder.glob("runs/*/.lock"):
        with open(lock, "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)


def workers(folder):
    """The processes that start trainings in a sweep's folder, by the trainings' logs."""
    logs = [path.read_text() for path in folder.glob("runs/*/log.txt")]
    return [
        int(pid) for log in logs for pid in re.findall(r"^=== attempt .*by process (\d+):", log, re.MULTILINE)
    ]


@pytest.mark.slow
def test_killed_half_way_and_resumed_no_run_is_done_twice_and_none_is_lost(tiny, start):
    out = tiny / "out"
    sweep = start("out")
    wait_for(
        lambda: (
            sum(state["status"] == "done" for state in states(out).values()) == 1 or sweep.poll() is not None
        )
    )
    # the second run is under way and has a checkpoint
    wait_for(lambda: list(out.glob("runs/*unpruned*/out/last_checkpoint")) or sweep.poll() is not None)
    sweep.send_signal(signal.SIGKILL)
    sweep.wait()
    left_alone(out)
    before = {name for name, state in states(out).items() if state["status"] == "done"}
    cut_off = next(iter(out.glob("runs/*unpruned*")))
    assert len(before) == 1 and cut_off.name not in before
    assert start("out").wait() == 0
    after = states(out)
    assert [state["status"] for state in after.values()] == ["done"] * 4
    attempts = {name: (out / "runs" / name / "log.txt").read_text().count("=== attempt") for name in after}
    assert attempts == {name: 2 if name == cut_off.name else 1 for name in after}
    log = (cut_off / "log.txt").read_text()
    assert "--resume" in log and "Starting training from epoch" in log
    table = rows(out)
    assert len(table) == 4 and all(row["status"] == "done" for row in table)
    assert all(float(row["mAP"]) > 0 for row in table)
    # a third call has nothing to do
    assert start("out").wait() == 0 and states(out) == after
    # and an unbroken sweep comes to the same table
    assert start("unbroken").wait() == 0
    assert without_times(rows(tiny / "unbroken")) == without_times(table)


@pytest.mark.slow
def test_a_run_that_fails_is_tried_again_marked_and_the_others_go_on(tiny, start):
    grid = (tiny / "grid.yml").read_text()
    # one of two recipes asks for a batch that is larger than the data set
    broken = "retrain: {good: {config: recipe.yml}, bad: {config: recipe.yml, options: {SOLVER.IMS_PER_BATCH: 4096}}}"
    lines = [broken if line.startswith("retrain") else line for line in grid.splitlines()]
    text = "\n".join(lines).replace("[random, entropy]", "[random]")
    (tiny / "grid.yml").write_text(text)
    assert start("out").wait() == 1
    table = rows(tiny / "out")
    status = {(row["recipe"], row["method"]): row["status"] for row in table if row["kind"] == "train"}
    assert status == {
        ("good", "unpruned"): "done", ("bad", "unpruned"): "failed",
        ("good", "random"): "done", ("bad", "random"): "failed",
    }  # fmt: skip
    failed = [row for row in table if row["status"] == "failed"]
    assert all(row["attempts"] == "2.0" and "fewer than one batch" in row["error"] for row in failed)
    assert "fewer than one batch" in (tiny / "out" / "results.md").read_text()


def test_the_plan_counts_and_trains_nothing(tiny, monkeypatch):
    monkeypatch.chdir(tiny)
    plan = plan_sweep("grid.yml", "out")
    assert (plan.runs, plan.done, plan.failed) == (4, 0, 0)
    assert plan.sampled == ["recipe"] and 0 < plan.hours < 1 and 0 < plan.disk < plan.free
    assert not (tiny / "out").exists()


@pytest.mark.slow
def test_on_ray_with_a_killed_worker_it_comes_to_the_same_table(tiny, start):
    cluster_utils = pytest.importorskip("ray.cluster_utils")
    assert start("local").wait() == 0
    # a cluster of our own on one machine: two trainings at a time
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    try:
        sweep = start("ray", "--runner", "ray", "--address", cluster.address)
        worker = wait_for(lambda: sweep.poll() is not None or workers(tiny / "ray"))
        assert sweep.poll() is None, (tiny / "ray.txt").read_text()
        os.kill(worker[0], signal.SIGKILL)
        assert sweep.wait() == 0, (tiny / "ray.txt").read_text()
    finally:
        cluster.shutdown()
    table = rows(tiny / "ray")
    assert without_times(table) == without_times(rows(tiny / "local"))
    assert sum(float(row["attempts"]) for row in table) == 5
