"""One run brought to its end: cut off, gone on, failed, tried again. The training is a script of a few lines."""

import subprocess
import sys
from dataclasses import replace

import pytest

from fastreid_prune.lab.experiments.execute import Settings, execute
from fastreid_prune.lab.experiments.grid import EPOCHS, Selection
from fastreid_prune.lab.experiments.local_pool import LocalPool
from fastreid_prune.lab.experiments.run_folder import RunFolder
from fastreid_prune.lab.experiments.runs import TRAIN, Run
from fastreid_prune.lab.experiments.scheduling import forgive, work
from fastreid_prune.lab.training_process import CUT_OFF, Line
from fastreid_prune.plugin.recipes import Recipe

TRAINING = [sys.executable, "-m", "fastreid_prune.lab.training_process"]
SCRIPT = """
import json, pathlib, sys
out = pathlib.Path(sys.argv[sys.argv.index("OUTPUT_DIR") + 1]) / "prune"
tried = pathlib.Path(__file__).with_name("tried.txt")
tried.write_text(tried.read_text() + "x" if tried.exists() else "x")
if len(tried.read_text()) <= FAILURES:
    out.mkdir(parents=True)
    sys.exit("no such luck")
assert not out.exists(), "what a failed attempt wrote is there"
out.mkdir(parents=True)
(out / "run.json").write_text(json.dumps({"complete": True, "results": {"mAP": 50.0}}))
"""


@pytest.fixture
def a_run(tmp_path):
    """Make a run whose script fails a number of times; with the settings of its sweep."""

    def make(failures, retries):
        script = tmp_path / "train.py"
        script.write_text(SCRIPT.replace("FAILURES", str(failures)))
        recipe = Recipe("recipe.yml", (), "text", 3, 16, (), 0, ("Market1501",), "cpu", 30, (64, 32))
        run = Run(TRAIN, "recipe", recipe, 0, str(tmp_path), str(script), budget=EPOCHS)
        return run, Settings(str(tmp_path / "sweep"), retries=retries)

    return make


def test_a_run_that_fails_too_often_says_why_and_when_forgiven_starts_anew(a_run):
    run, settings = a_run(failures=1, retries=0)
    follower = replace(run, source=run, seed=1, selection=Selection("entropy", "entropy"), ratio=0.3)
    told = []
    pool = LocalPool(settings)
    work([run, follower], settings.folder, pool, 0, lambda run, state: told.append((run.seed, state.error)))
    pool.close()
    assert told[0][0] == 0 and told[0][1].endswith("no such luck")
    assert told[1] == (1, "its scoring run failed")
    forgive([run, follower], settings.folder)
    state = execute(run, settings)
    assert (state.status, state.attempts, state.failures, state.error) == ("done", 2, 0, "")
    assert state.wall_seconds > 0 and state.cpu_seconds > 0
    assert RunFolder.of(settings.folder, run).state == state
    assert execute(run, settings) == state


def test_a_training_ends_when_its_line_is_cut():
    line = Line()
    training = subprocess.Popen([*TRAINING, "none.py"], stdin=line.end, stderr=subprocess.DEVNULL)
    line.cut()
    assert training.wait(60) == CUT_OFF


def test_a_run_that_is_cut_off_waits_and_is_no_failure(a_run):
    run, settings = a_run(failures=0, retries=0)
    line = Line()
    line.cut()
    state = execute(run, settings, line=line)
    assert (state.status, state.attempts, state.failures) == ("waiting", 1, 0)


def test_a_training_ends_when_the_process_that_started_it_is_killed(tmp_path):
    script = tmp_path / "endless.py"
    script.write_text("import threading; print('began', flush=True); threading.Event().wait()")
    starter = (
        "import subprocess; from fastreid_prune.lab.training_process import Line\n"
        f"subprocess.Popen({[*TRAINING, str(script)]}, stdin=Line().end).wait()"
    )
    # both hold the other end of this pipe: it ends when they do
    process = subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "began\n"
    process.kill()
    assert process.stdout.read() == ""
    process.wait()


def test_states_of_earlier_versions_are_read(a_run):
    run, settings = a_run(failures=0, retries=0)
    folder = RunFolder.of(settings.folder, run)
    folder.path.mkdir(parents=True)
    (folder.path / "state.json").write_text('{"status": "done", "attempts": 2, "restart": false}')
    assert (folder.state.status, folder.state.attempts) == ("done", 2)
