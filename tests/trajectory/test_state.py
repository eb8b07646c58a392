import os
import subprocess
import sys
import time

import pytest
import torch
from trajectory_reference import assert_equal

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.trajectory import LogitRecorder, load_state, save_state

N, C = 50, 6


def epoch(recorder, number):
    generator = torch.Generator().manual_seed(number)
    logits = torch.randn(N, C, generator=generator)
    recorder.update(torch.arange(N), logits, torch.arange(N) % C, logits[:, :2])
    recorder.end_epoch()


@pytest.mark.parametrize("storage", ["host", "disk"])
def test_a_run_that_resumes_from_its_file_equals_an_unbroken_one(storage, tmp_path):
    unbroken = LogitRecorder(N, C, storage=storage, folder=tmp_path)
    for number in range(4):
        epoch(unbroken, number)
        if number == 1:
            save_state(unbroken, tmp_path / "state.pt")
    resumed = LogitRecorder(N, C, storage=storage, folder=tmp_path)
    load_state(resumed, tmp_path / "state.pt", epochs=2)
    for number in (2, 3):
        epoch(resumed, number)
        save_state(resumed, tmp_path / "state.pt")
    assert_equal(resumed.trajectory(), unbroken.trajectory())


def test_a_state_of_another_epoch_than_the_checkpoint_is_refused(tmp_path):
    recorder = LogitRecorder(N, C)
    epoch(recorder, 0)
    save_state(recorder, tmp_path / "state.pt")
    with pytest.raises(FastreidPruneError, match="holds 1 recorded epochs, and the training checkpoint 2"):
        load_state(LogitRecorder(N, C), tmp_path / "state.pt", epochs=2)


def test_a_missing_or_truncated_state_is_named(tmp_path):
    path = tmp_path / "state.pt"
    with pytest.raises(FastreidPruneError, match="state.pt.*missing"):
        load_state(LogitRecorder(N, C), path)
    recorder = LogitRecorder(N, C)
    epoch(recorder, 0)
    save_state(recorder, path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(FastreidPruneError, match="state.pt.*cannot be read"):
        load_state(LogitRecorder(N, C), path)


RECORD_FOR_EVER = """
import sys
sys.path.insert(0, sys.argv[2])
from test_state import C, N, LogitRecorder, epoch, load_state, save_state
recorder = LogitRecorder(N, C)
try:
    load_state(recorder, sys.argv[1])
except Exception:
    pass
print("ready", flush=True)
while recorder.num_epochs < 10000:
    epoch(recorder, recorder.num_epochs)
    save_state(recorder, sys.argv[1])
"""


def test_killed_again_and_again_no_epoch_is_lost_or_counted_twice(tmp_path):
    path, here = tmp_path / "state.pt", os.path.dirname(__file__)
    reached = 0
    for moment in range(3):
        command = [sys.executable, "-c", RECORD_FOR_EVER, str(path), here]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.07 * moment + 0.02)
        process.kill()
        process.wait()
        process.stdout.close()
        recorder = LogitRecorder(N, C)
        if path.exists():
            load_state(recorder, path)
        assert recorder.num_epochs >= reached
        reached = recorder.num_epochs
    assert reached > 0
    unbroken = LogitRecorder(N, C)
    for number in range(reached):
        epoch(unbroken, number)
    assert_equal(recorder.trajectory(), unbroken.trajectory())
