"""Trainings in processes of their own, shown as bars with loss and time left; cut off, they go on where they were."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.progress import PROGRESS, TrainingProgress
from fastreid_prune.lab.training_process import Line
from fastreid_prune.plugin.script.train_net import SCRIPT

_POLL = 0.25  # seconds


@dataclass(frozen=True)
class Job:
    """One training.

    Attributes:
        title: for its bar.
        config: the recipe.
        options: ``KEY, value, …``.
        folder: ``OUTPUT_DIR``; the log lies beside it.
        needs_scores: whether it is a scoring run.
    """

    title: str
    config: Path
    options: Sequence[str]
    folder: Path
    needs_scores: bool = False

    @property
    def log(self) -> Path:
        """What the training prints."""
        return self.folder.with_suffix(".log")

    @property
    def complete(self) -> bool:
        """Whether the training has ended, and left what it has to."""
        try:
            record = json.loads((self.folder / "prune" / "run.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        scored = (self.folder / "prune" / "scores.parquet").is_file()
        return bool(record.get("complete")) and (scored or not self.needs_scores)


def bars(console: Console) -> Progress:
    """The bars of trainings."""
    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[state]:<28}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, refresh_per_second=4)


class Trainer:
    """Runs jobs, some at a time.

    Args:
        data_root: the folder that the data set's file names are relative to.
        slots: how many at a time.
        progress: where the bars go.
        threads: of each.
    """

    def __init__(self, data_root: Path, slots: int, progress: Progress, threads: int):
        self._data_root = data_root
        self._progress = progress
        self._threads = threads
        self._line = Line()
        self._cut = False
        self._pool = ThreadPoolExecutor(slots)

    def __enter__(self) -> "Trainer":
        return self

    def __exit__(self, kind: type | None, error: object, trace: object) -> None:
        """Where something went wrong, or Ctrl-C was pressed, end the trainings: they go on from their checkpoints."""
        if kind is not None:
            self._cut = True
            self._line.cut()
        self._pool.shutdown(cancel_futures=True)

    def start(self, job: Job) -> "Future[None]":
        """Queue a job; the future raises what a person can act on."""
        return self._pool.submit(self._run, job)

    def _run(self, job: Job) -> None:
        task = self._progress.add_task(job.title, total=None, state="starting")
        if job.complete:
            self._progress.update(task, total=1, completed=1, state="was done before")
            return
        told = job.folder / "progress.json"
        code = self._train(job, told, task)
        if self._cut:
            return
        if code or not job.complete:
            self._progress.update(task, state=f"failed, see {job.log.name}")
            raise FastreidPruneError(_what_went_wrong(job, code))
        self._progress.update(task, total=1, completed=1, state="done")

    def _train(self, job: Job, told: Path, task: TaskID) -> int:
        """Train in a process of its own, and show how far it is; its exit status."""
        job.folder.mkdir(parents=True, exist_ok=True)
        told.unlink(missing_ok=True)
        resume = ["--resume"] if (job.folder / "last_checkpoint").is_file() else []
        command = [
            *(sys.executable, "-W", "ignore", "-m", "fastreid_prune.lab.training_process", str(SCRIPT)),
            *("--config-file", str(job.config), *resume, "OUTPUT_DIR", str(job.folder), *job.options),
        ]
        variables = {
            "FASTREID_DATASETS": str(self._data_root),
            PROGRESS: str(told),
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(self._threads)),
            # waiting threads that spin took 12.9 s a step instead of 1.7 (MobileNetV2, 2 threads on 2 cores where 12
            # other processes computed)
            "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE"),
        }
        with open(job.log, "ab") as log:
            # Ctrl-C is for this process alone, which cuts the line
            child = subprocess.Popen(
                command, stdin=self._line.end, stdout=log, stderr=subprocess.STDOUT,
                env={**os.environ, **variables}, start_new_session=True,
            )  # fmt: skip
            while child.poll() is None:
                self._show(task, told)
                time.sleep(_POLL)
        self._show(task, told)
        return child.returncode

    def _show(self, task: TaskID, told: Path) -> None:
        now = TrainingProgress.read(told)
        if now is None:
            return
        loss = "" if now.loss is None else f", loss {now.loss:.2f}"
        what = f"epoch {now.epoch} of {now.epochs}{loss}"
        if now.iteration >= now.iterations:
            what = "evaluating and scoring"
        self._progress.update(task, total=now.iterations, completed=now.iteration, state=what)


def _what_went_wrong(job: Job, status: int) -> str:
    lines = job.log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["it is empty"]
    said = next((line for line in reversed(lines) if line.startswith("fastreid-prune: ")), "")
    if status == 2 and said:
        return f"{said.removeprefix('fastreid-prune: ')} (the whole log: {job.log})"
    what = f"killed by signal {-status}" if status < 0 else f"status {status}"
    return f"{job.title} ended with {what}. {job.log} ends with: {lines[-1]:.300}. A second call goes on from there."
