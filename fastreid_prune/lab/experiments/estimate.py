"""What a sweep will cost: runs, hours, disk."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fastreid_prune.lab.experiments.grid import WHOLE
from fastreid_prune.lab.experiments.run_folder import DONE, RunFolder
from fastreid_prune.lab.experiments.runs import SCORE, Run
from fastreid_prune.plugin.recipes import seconds_an_image, train_size
from fastreid_prune.selection import pruned_count


@dataclass(frozen=True)
class Plan:
    """What there is to do.

    Attributes:
        runs: all of them.
        done, failed: how many are over.
        hours: of one machine for what is left, one run after another.
        sampled: recipes whose pace was timed on a few steps, as no run of theirs is there yet.
        disk: bytes that what is left will take in the end.
        free: bytes free in the folder.
    """

    runs: int
    done: int
    failed: int
    hours: float
    sampled: list[str]
    disk: int
    free: int


@dataclass
class Pace:
    """How long runs take: of each recipe, the seconds an image of its finished runs, else of a timed sample."""

    folder: str
    sizes: dict[tuple, tuple[int, int]] = field(default_factory=dict)
    timed: dict[str, float] = field(default_factory=dict)
    seen: dict[str, list[float]] = field(default_factory=dict)

    def learn(self, run: Run) -> None:
        """Take note of a finished run."""
        folder = RunFolder.of(self.folder, run)
        images, seconds = folder.record.images_seen, folder.state.wall_seconds
        if images and seconds and folder.state.attempts == 1:
            self.seen.setdefault(run.recipe.digest, []).append(seconds / images)

    def images_seen(self, run: Run) -> int:
        """How many images a run will see, with repetitions."""
        whole, _ = self.size(run)
        left = whole - pruned_count(whole, run.ratio)
        if run.selection is not None and run.selection.method == WHOLE:
            return run.epochs(whole, left) * (whole // run.recipe.batch) * run.recipe.batch
        return run.epochs(whole, left) * (left // run.recipe.batch) * run.recipe.batch

    def size(self, run: Run) -> tuple[int, int]:
        """Images and identities of a run's data sets."""
        key = (run.recipe.datasets, run.data)
        if key not in self.sizes:
            self.sizes[key] = train_size(run.recipe, run.data)
        return self.sizes[key]

    def seconds(self, run: Run, sample: bool = True) -> float | None:
        """How long a run will take; None where that would need a timed sample and ``sample`` is off."""
        digest = run.recipe.digest
        if digest in self.seen:
            return float(np.median(self.seen[digest])) * self.images_seen(run)
        if digest not in self.timed:
            if not sample:
                return None
            self.timed[digest] = seconds_an_image(run.recipe, self.size(run)[1])
        return self.timed[digest] * self.images_seen(run)


def plan(runs: Sequence[Run], folder: str, retries: int) -> Plan:
    """Count and estimate; trains nothing, times a few steps of recipes of which no run is done."""
    pace = Pace(folder)
    states = {run.digest: RunFolder.of(folder, run).state for run in runs}
    left = [run for run in runs if not states[run.digest].is_over(retries)]
    for run in runs:
        if states[run.digest].status == DONE:
            pace.learn(run)
    seconds = sum(pace.seconds(run) or 0.0 for run in left)
    done = sum(state.status == DONE for state in states.values())
    sampled = sorted({run.name for run in left if run.recipe.digest in pace.timed})
    existing = next(path for path in (Path(folder), *Path(folder).resolve().parents) if path.exists())
    return Plan(
        runs=len(runs),
        done=done,
        failed=len(runs) - done - len(left),
        hours=seconds / 3600,
        sampled=sampled,
        disk=sum(_bytes(run, pace) for run in left),
        free=shutil.disk_usage(existing).free,
    )


def _bytes(run: Run, pace: Pace) -> int:
    images, identities = pace.size(run)
    if run.kind == SCORE:
        # mean logits and features in float32, six records an epoch, the tables
        return images * (4 * identities + 4 * 2048 + 24 * run.recipe.epochs + 600)
    return (images * 250 if run.scoring else 0) + (256 << 10)
