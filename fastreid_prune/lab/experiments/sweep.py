"""A sweep: from a grid file to its runs, and from its runs to the table, the figures and the comparison."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from fastreid_prune.lab.experiments.estimate import Pace, Plan, plan
from fastreid_prune.lab.experiments.execute import Settings
from fastreid_prune.lab.experiments.grid import Grid, read_grid
from fastreid_prune.lab.experiments.local_pool import LocalPool
from fastreid_prune.lab.experiments.publish import Published, publish
from fastreid_prune.lab.experiments.run_folder import DONE, RunFolder, State
from fastreid_prune.lab.experiments.runs import Run, expand
from fastreid_prune.lab.experiments.scheduling import Pool, forgive, work

logger = logging.getLogger("fastreid.prune")


@dataclass(frozen=True)
class SweepSummary:
    """What :func:`sweep` did.

    Attributes:
        runs: of the grid.
        executed: how many ended in this sitting.
        failed: the runs that failed, with why.
        published: the files that were written.
    """

    runs: int
    executed: int
    failed: list[tuple[str, str]]
    published: Published


def plan_sweep(grid: str | os.PathLike, folder: str | os.PathLike) -> Plan:
    """What a sweep would do; see :class:`.estimate.Plan`."""
    asked = read_grid(grid)
    return plan(expand(asked), str(folder), asked.retries)


def sweep(
    grid: str | os.PathLike,
    folder: str | os.PathLike,
    *,
    runner: str = "local",
    jobs: int = 1,
    address: str = "auto",
    retry_failed: bool = False,
) -> SweepSummary:
    """Execute what a grid asks for and is not done in ``folder``; then write the results.

    Args:
        grid: the grid's file.
        folder: of the sweep; made if need be. Call again to go on: what is done there is not done again, whatever
            it is called in the grid by then.
        runner: "local" or "ray".
        jobs: how many runs at a time, locally; one a GPU.
        address: of the Ray cluster.
        retry_failed: try runs again that failed for good in an earlier sitting.

    Raises:
        FastreidPruneError: the grid cannot be read, or there is no Ray.
    """
    asked = read_grid(grid)
    runs = expand(asked)
    folder = Path(folder).resolve()
    if retry_failed:
        forgive(runs, str(folder))
    settings = Settings(
        str(folder),
        os.getcwd(),
        asked.retries,
        asked.keep_checkpoints,
        tuple(sorted(asked.environment.items())),
    )
    progress = _Progress(runs, str(folder), asked.retries, jobs)
    if progress.left:
        pool = _pool(runner, settings, jobs, address, asked)
        try:
            work(runs, str(folder), pool, asked.retries, progress.tell)
        finally:
            pool.close()
    published = publish(runs, folder, asked)
    failed = [(run.label, state.error) for run, state in progress.states(runs) if state.status != DONE]
    return SweepSummary(len(runs), progress.ended, failed, published)


def _pool(name: str, settings: Settings, jobs: int, address: str, grid: Grid) -> Pool:
    if name == "ray":
        from fastreid_prune.lab.experiments.ray_pool import RayPool

        return RayPool(settings, address, grid.resources)
    return LocalPool(settings, jobs)


class _Progress:
    """Says of every run how it ended, and how long the rest will take."""

    def __init__(self, runs: list[Run], folder: str, retries: int, jobs: int):
        self._folder, self._jobs, self._pace = folder, jobs, Pace(folder)
        self.left: dict[str, Run] = {}
        for run, state in self.states(runs):
            if state.status == DONE:
                self._pace.learn(run)
            if not state.is_over(retries):
                self.left[run.digest] = run
        self.all, self.ended = len(runs), 0
        logger.info(f"{self.all} runs, {self.all - len(self.left)} of them done or given up before.")

    def states(self, runs: list[Run]) -> list[tuple[Run, State]]:
        """The runs with their states on disk."""
        return [(run, RunFolder.of(self._folder, run).state) for run in runs]

    def tell(self, run: Run, state: State) -> None:
        """A run has ended."""
        self.left.pop(run.digest, None)
        self.ended += 1
        count = f"[{self.all - len(self.left)}/{self.all}]"
        folder = RunFolder.of(self._folder, run)
        if state.status != DONE:
            logger.error(f"{count} {run.label}: failed: {state.error}. Log: {folder.log}")
            return
        self._pace.learn(run)
        results = folder.record.evaluation
        reached = ", ".join(f"{name} {results[name]:.2f}" for name in ("Rank-1", "mAP") if name in results)
        logger.info(f"{count} {run.label}: {reached}; {state.wall_seconds:.0f} s{self._rest()}")

    def _rest(self) -> str:
        estimates = [self._pace.seconds(run, sample=False) for run in self.left.values()]
        known = [seconds for seconds in estimates if seconds is not None]
        if not self.left or not known:
            return ""
        total = sum(known) / len(known) * len(estimates) / self._jobs
        return f"; about {total / 60:.0f} min for the other {len(self.left)}"
