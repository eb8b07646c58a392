"""A run's folder: what state it is in, its log, its lock, and what the training wrote."""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from fastreid_prune.io.files import written_whole
from fastreid_prune.lab.experiments.runs import SCORE, Run
from fastreid_prune.scored_run.metadata import TrainingRecord

DONE, FAILED, WAITING = "done", "failed", "waiting"


@dataclass(frozen=True)
class State:
    """How far a run is.

    Attributes:
        status: ``done``, ``failed`` or ``waiting`` (not begun, or begun and cut off).
        attempts: how many began.
        failures: how many of them failed, since the run was last asked for.
        error: what the last failure said; the next attempt then starts anew instead of from the last checkpoint.
        wall_seconds, cpu_seconds: of all attempts together, with their child processes.
    """

    status: str = WAITING
    attempts: int = 0
    failures: int = 0
    error: str = ""
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0

    def is_over(self, retries: int) -> bool:
        """Whether nothing more is to be done: the run is done, or has failed too often."""
        return self.status == DONE or (self.status == FAILED and self.failures > retries)


@dataclass(frozen=True)
class RunFolder:
    """``DIR/runs/LABEL-DIGEST``; found again by the digest alone, whatever the run is called by then."""

    path: Path
    kind: str

    @classmethod
    def of(cls, sweep: str | os.PathLike, run: Run) -> "RunFolder":
        """The folder of a run in the folder of a sweep; it need not exist."""
        runs = Path(sweep) / "runs"
        known = sorted(runs.glob(f"*-{run.digest[:16]}"))
        label = "".join(c if c.isalnum() or c in ".-" else "_" for c in run.label).replace("__", "_")
        return cls(known[0] if known else runs / f"{label}-{run.digest[:16]}", run.kind)

    @property
    def output(self) -> Path:
        """``OUTPUT_DIR`` of the training."""
        return self.path / "out"

    @property
    def log(self) -> Path:
        """What the training printed, attempt after attempt."""
        return self.path / "log.txt"

    @property
    def manifest(self) -> Path:
        """What the run trains on."""
        return self.path / "manifest.csv"

    @property
    def record(self) -> TrainingRecord:
        """What the training recorded of itself; nothing where it did not."""
        return TrainingRecord.read(self.output / "prune" / "run.json")

    @property
    def state(self) -> State:
        """How far the run is."""
        try:
            written = json.loads((self.path / "state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return State()
        # earlier versions wrote more
        return State(**{name: written[name] for name in State.__dataclass_fields__ if name in written})

    def write_state(self, state: State) -> None:
        """Set the state."""
        with written_whole(self.path / "state.json") as part:
            part.write_text(json.dumps(asdict(state), indent=1) + "\n", encoding="utf-8")

    @property
    def trained(self) -> bool:
        """Whether all that a finished training leaves is there."""
        record = self.record
        ready = bool(record.complete and record.results)
        return ready and (self.kind != SCORE or (self.output / "prune" / "scores.parquet").is_file())

    @contextlib.contextmanager
    def locked(self) -> Iterator[int]:
        """Hold the folder; the file descriptor, for child processes to hold it too.

        A training that has outlived whoever started it still holds its folder: this waits for it to end.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with open(self.path / ".lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file.fileno()

    def remove_output(self) -> None:
        """Forget what the training wrote, and what it was given."""
        self.manifest.unlink(missing_ok=True)
        shutil.rmtree(self.output, ignore_errors=True)

    def remove_checkpoints(self) -> None:
        """Weights of a finished run, which its results do not need."""
        for path in self.output.glob("*.pth"):
            path.unlink(missing_ok=True)
        (self.output / "last_checkpoint").unlink(missing_ok=True)
