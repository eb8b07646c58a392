"""Executing one run: choose, train in a process of its own, record what it cost."""

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.lab.experiments.grid import ITERATIONS
from fastreid_prune.lab.experiments.run_folder import DONE, FAILED, WAITING, RunFolder, State
from fastreid_prune.lab.experiments.runs import SCORE, Run, schedule

if TYPE_CHECKING:
    from fastreid_prune.scored_run.run_files import RunFiles

# processes under way, for whoever must stop them
_children: dict[int, subprocess.Popen] = {}
_stopping = threading.Event()


@dataclass(frozen=True)
class Settings:
    """What all runs of a sweep have in common.

    Attributes:
        folder: of the sweep.
        workdir: the folder that the trainings start in.
        keep_checkpoints: keep the weights of finished runs.
        environment: variables for the training processes.
    """

    folder: str
    workdir: str = "."
    keep_checkpoints: bool = False
    environment: tuple[tuple[str, str], ...] = ()


def execute(run: Run, settings: Settings, environment: dict[str, str] | None = None) -> State:
    """Bring a run to its end: from its last checkpoint where it was cut off, after a failure from the start.

    Args:
        run: what to do; its scoring run is done.
        settings: of the sweep.
        environment: more variables, such as the GPU to use.

    Returns:
        The state that the folder now has; ``waiting`` where the sweep is being stopped.
    """
    folder = RunFolder.of(settings.folder, run)
    with folder.locked() as lock:
        state = folder.state
        if state.status == DONE:
            return state
        if folder.trained:
            # it ended well, but nobody was there any more to write it down
            return _ended(folder, state, settings)
        if state.restart:
            folder.remove_output()
        state = replace(state, status=WAITING, attempts=state.attempts + 1, restart=False)
        folder.write_state(state)
        try:
            command = [
                sys.executable,
                "-m",
                "fastreid_prune.lab.experiments.child",
                *_arguments(run, folder, settings),
            ]
            state, problem = _train(command, run, folder, state, settings, environment or {}, lock)
        except FastreidPruneError as error:
            problem = str(error)
        if not problem:
            return _ended(folder, state, settings)
        if _stopping.is_set():
            problem, state = "", replace(state, status=WAITING)
        else:
            state = replace(state, status=FAILED, failures=state.failures + 1, restart=True, error=problem)
        folder.write_state(state)
        return state


def stop_all() -> None:
    """Kill the trainings under way; their runs go on from their last checkpoint another time."""
    _stopping.set()
    for child in list(_children.values()):
        child.kill()


def _arguments(run: Run, folder: RunFolder, settings: Settings) -> list[str]:
    from fastreid_prune.plugin.script.train_net import SCRIPT

    options = {"OUTPUT_DIR": str(folder.output), "PRUNE.SEED": run.seed}
    epochs = run.recipe.epochs
    if run.kind == SCORE:
        options |= {"PRUNE.CAPTURE.ENABLED": True, "PRUNE.RATIO": 0.0, "PRUNE.MANIFEST": ""}
    elif run.source is not None:
        whole, left = _choose(run, folder, settings)
        options["PRUNE.MANIFEST"] = str(folder.manifest)
        epochs = run.epochs(whole, left)
        if run.budget == ITERATIONS:
            options |= schedule(run.recipe, epochs)
    # one evaluation, of the last epoch
    options["TEST.EVAL_PERIOD"] = epochs
    pairs = [str(part) for pair in options.items() for part in pair]
    resume = ["--resume"] if (folder.output / "last_checkpoint").is_file() else []
    script = run.script or str(SCRIPT)
    return [script, "--config-file", run.recipe.config_file, *resume, *run.recipe.options, *pairs]


def _choose(run: Run, folder: RunFolder, settings: Settings) -> tuple[int, int]:
    """Write the run's manifest; the samples of the whole set and those left to train on."""
    from fastreid_prune.manifest import Manifest, prune_run
    from fastreid_prune.scored_run.run_files import RunFiles
    from fastreid_prune.selection import STRATEGIES

    source = RunFolder.of(settings.folder, run.source)
    # two files: whoever was killed between them left one
    if not (folder.manifest.is_file() and folder.manifest.with_suffix(".json").is_file()):
        choice = run.selection
        # several runs choose from one scoring run, and its files may have to be completed first
        with source.locked():
            scored = RunFiles.open(source.output)
            if (run.purify or choice.method == "auto") and not scored.table.judged:
                _judge(scored, needed=run.purify)
            prune_run(
                scored, run.ratio, choice.method, purify=run.purify, output=folder.manifest,
                score=choice.score if choice.method in STRATEGIES else None,
                keep_per_identity=choice.keep_per_identity, keep_per_camera=choice.keep_per_camera, seed=run.seed,
            )  # fmt: skip
    manifest = Manifest.read(folder.manifest)
    return len(manifest), int(manifest.kept.sum())


def _judge(scored: "RunFiles", needed: bool) -> None:
    """Judge a scored run; where nothing needs verdicts, what cannot be judged stays so."""
    from fastreid_prune.purify import judge_run

    try:
        judge_run(scored)
    except FastreidPruneError:
        if needed:
            raise


def _train(command, run, folder, state, settings, environment, lock) -> tuple[State, str]:
    """Run the training process; the state with its costs, and what went wrong, if anything."""
    variables = {
        **os.environ,
        "FASTREID_DATASETS": run.data,
        **dict(settings.environment),
        **environment,
        "FASTREID_PRUNE_PARENT": str(os.getpid()),
    }
    began = time.perf_counter()
    with open(folder.log, "a", encoding="utf-8") as log:
        log.write(f"\n=== attempt {state.attempts}: {' '.join(command)}\n")
        log.flush()
        child = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=variables,
            cwd=settings.workdir, pass_fds=(lock,), start_new_session=True,
        )  # fmt: skip
        _children[child.pid] = child
        if _stopping.is_set():
            child.kill()
        try:
            _, status, usage = os.wait4(child.pid, 0)
        finally:
            del _children[child.pid]
    child.returncode = os.waitstatus_to_exitcode(status)
    state = replace(
        state,
        wall_seconds=round(state.wall_seconds + time.perf_counter() - began, 3),
        cpu_seconds=round(state.cpu_seconds + usage.ru_utime + usage.ru_stime, 3),
    )
    if child.returncode == 0 and folder.trained:
        return state, ""
    what = f"it ended with status {child.returncode}"
    if child.returncode < 0:
        what = f"it was killed by signal {-child.returncode}"
    elif child.returncode == 0:
        what = "it ended without the record or the evaluation of a complete training"
    return state, f"{what}; {_last_line(folder)}"


def _last_line(folder: RunFolder) -> str:
    with open(folder.log, "rb") as file:
        file.seek(max(0, os.path.getsize(folder.log) - 4096))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return f"the log ends with: {lines[-1]:.300}" if lines else "the log is empty"


def _ended(folder: RunFolder, state: State, settings: Settings) -> State:
    if not settings.keep_checkpoints:
        folder.remove_checkpoints()
    state = replace(state, status=DONE, error="")
    folder.write_state(state)
    return state
