"""Executing one run: choose, train in a process of its own, record what it cost."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.lab.experiments.grid import ITERATIONS, WHOLE, Selection
from fastreid_prune.lab.experiments.run_folder import DONE, FAILED, WAITING, RunFolder, State
from fastreid_prune.lab.experiments.runs import SCORE, Run, schedule
from fastreid_prune.lab.training_process import CUT_OFF, Line
from fastreid_prune.manifest import Manifest, prune_run
from fastreid_prune.plugin.recipes import train_size
from fastreid_prune.plugin.script.train_net import SCRIPT
from fastreid_prune.purify import judge_run
from fastreid_prune.scored_run.run_files import RunFiles
from fastreid_prune.selection import STRATEGIES, pruned_count

logger = logging.getLogger("fastreid.prune")


@dataclass(frozen=True)
class Settings:
    """What all runs of a sweep have in common.

    Attributes:
        folder: of the sweep.
        workdir: the folder that the trainings start in.
        retries: how often a run that failed is tried again.
        keep_checkpoints: keep the weights of finished runs.
        environment: variables for the training processes.
    """

    folder: str
    workdir: str = "."
    retries: int = 0
    keep_checkpoints: bool = False
    environment: tuple[tuple[str, str], ...] = ()


def execute(
    run: Run, settings: Settings, environment: Mapping[str, str] | None = None, line: Line | None = None
) -> State:
    """Bring a run to its end: from its last checkpoint where it was cut off, after a failure from the start.

    Args:
        run: what to do; its scoring run is done.
        settings: of the sweep.
        environment: more variables, such as the GPU to use.
        line: what the training hangs on; without one, on this process.

    Returns:
        The state that the folder now has: done, failed for good, or waiting where the line was cut.
    """
    folder, line = RunFolder.of(settings.folder, run), line or Line()
    with folder.locked() as lock:
        state = folder.state
        while not state.is_over(settings.retries):
            if folder.trained and not state.error:
                # it ended well, but nobody was there any more to write it down
                state = replace(state, status=DONE)
            else:
                state = _attempt(run, folder, state, settings, environment or {}, line, lock)
            if state.status == DONE and not settings.keep_checkpoints:
                folder.remove_checkpoints()
            folder.write_state(state)
            if state.status == WAITING:
                break
            if state.status == FAILED and not state.is_over(settings.retries):
                logger.warning(f"{run.label}: failed ({state.error}); once more.")
    return state


def _attempt(
    run: Run,
    folder: RunFolder,
    state: State,
    settings: Settings,
    environment: Mapping[str, str],
    line: Line,
    lock: int,
) -> State:
    """Train once: the run is then done, has failed, or waits where it was cut off."""
    if state.error:
        folder.remove_output()
    state = replace(state, status=WAITING, attempts=state.attempts + 1, error="")
    folder.write_state(state)
    try:
        arguments = _arguments(run, folder, settings)
    except FastreidPruneError as error:
        return replace(state, status=FAILED, failures=state.failures + 1, error=str(error))
    command = [sys.executable, "-m", "fastreid_prune.lab.training_process", *arguments]
    variables = {**os.environ, "FASTREID_DATASETS": run.data, **dict(settings.environment), **environment}
    began = time.perf_counter()
    with open(folder.log, "a", encoding="utf-8") as log:
        log.write(f"\n=== attempt {state.attempts}, started by process {os.getpid()}: {' '.join(command)}\n")
        log.flush()
        # the training holds the folder's lock too, and Ctrl-C is for the sweep alone
        child = subprocess.Popen(
            command, stdin=line.end, stdout=log, stderr=subprocess.STDOUT, env=variables, cwd=settings.workdir,
            pass_fds=(lock,), start_new_session=True,
        )  # fmt: skip
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = code = os.waitstatus_to_exitcode(status)
    state = replace(
        state,
        wall_seconds=round(state.wall_seconds + time.perf_counter() - began, 3),
        cpu_seconds=round(state.cpu_seconds + usage.ru_utime + usage.ru_stime, 3),
    )
    if code == CUT_OFF:
        return state
    if code == 0 and folder.trained:
        return replace(state, status=DONE)
    what = f"it was killed by signal {-code}" if code < 0 else f"it ended with status {code}"
    if code == 0:
        what = "it ended without the record or the evaluation of a complete training"
    why = f"{what}; {_last_line(folder)}"
    return replace(state, status=FAILED, failures=state.failures + 1, error=why)


def _arguments(run: Run, folder: RunFolder, settings: Settings) -> list[str]:
    options: dict[str, object] = {"OUTPUT_DIR": str(folder.output), "PRUNE.SEED": run.seed}
    epochs = run.recipe.epochs
    if run.kind == SCORE:
        options |= {"PRUNE.CAPTURE.ENABLED": True, "PRUNE.RATIO": 0.0, "PRUNE.MANIFEST": ""}
    elif run.selection is not None and run.selection_in_run:
        options |= {
            "PRUNE.IN_RUN.ENABLED": True,
            "PRUNE.METHOD": run.selection.method,
            "PRUNE.RATIO": run.ratio,
            "PRUNE.PURIFY.ENABLED": run.purify,
            "PRUNE.PURIFY.CALIBRATE": run.purify,
            "PRUNE.KEEP_PER_IDENTITY": run.selection.keep_per_identity,
            "PRUNE.KEEP_PER_CAMERA": run.selection.keep_per_camera,
        }
        if run.selection.method in STRATEGIES:
            options["PRUNE.SCORE"] = run.selection.score
    elif run.selection is not None and run.selection.method == WHOLE:
        whole, _ = train_size(run.recipe, run.data)
        epochs = run.epochs(whole, whole - pruned_count(whole, run.ratio))
        options |= schedule(run.recipe, epochs)
    elif run.scoring is not None and run.selection is not None:
        source = RunFolder.of(settings.folder, run.scoring)
        whole, left = _choose(run, run.selection, source, folder)
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


def _choose(run: Run, choice: Selection, source: RunFolder, folder: RunFolder) -> tuple[int, int]:
    """Write the run's manifest; the samples of the whole set and those left to train on."""
    # two files: whoever was killed between them left one
    if not (folder.manifest.is_file() and folder.manifest.with_suffix(".json").is_file()):
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


def _judge(scored: RunFiles, needed: bool) -> None:
    """Judge a scored run; where nothing needs verdicts, what cannot be judged stays so."""
    try:
        judge_run(scored)
    except FastreidPruneError:
        if needed:
            raise


def _last_line(folder: RunFolder) -> str:
    with open(folder.log, "rb") as file:
        file.seek(max(0, os.path.getsize(folder.log) - 4096))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return f"the log ends with: {lines[-1]:.300}" if lines else "the log is empty"
