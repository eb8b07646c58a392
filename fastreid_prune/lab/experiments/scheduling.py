"""Bringing a sweep's runs to their end: what is ready starts, and the rest goes on."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from typing import Protocol

from fastreid_prune.lab.experiments.run_folder import DONE, FAILED, WAITING, RunFolder, State
from fastreid_prune.lab.experiments.runs import Run

Report = Callable[[Run, State], None]


class Pool(Protocol):
    """Where runs are executed, several at a time."""

    slots: int
    lost: tuple[type[Exception], ...]  # what a future raises whose worker is gone for good

    def submit(self, run: Run) -> Future[State]:
        """Begin a run; at most ``slots`` are under way."""
        ...

    def close(self) -> None:
        """End what is under way, so that it can go on another time, and clean up."""
        ...


def work(runs: Sequence[Run], folder: str, pool: Pool, retries: int, report: Report) -> None:
    """Execute the runs that are not over, as many at a time as the pool takes.

    Args:
        runs: scoring runs before those that need them.
        folder: of the sweep.
        pool: where they are executed, with their retries.
        retries: how often a failed run is tried again.
        report: is told of every run that ended, and how.
    """
    states = {run.digest: RunFolder.of(folder, run).state for run in runs}
    waiting = [run for run in runs if not states[run.digest].is_over(retries)]
    under_way: dict[Future[State], Run] = {}

    def end(run: Run, state: State) -> None:
        states[run.digest] = state
        report(run, state)

    while waiting or under_way:
        for run in list(waiting):
            source = states[run.scoring.digest] if run.scoring else State(DONE)
            if source.status == FAILED and source.is_over(retries):
                waiting.remove(run)
                end(run, _give_up(folder, run, retries, "its scoring run failed"))
            elif source.status == DONE and len(under_way) < pool.slots:
                waiting.remove(run)
                under_way[pool.submit(run)] = run
        for future in wait(under_way, return_when=FIRST_COMPLETED).done:
            run = under_way.pop(future)
            try:
                end(run, future.result())
            except pool.lost as error:
                why = f"its worker is gone: {str(error).strip().splitlines()[0]:.200}"
                end(run, _give_up(folder, run, retries, why))


def forgive(runs: Sequence[Run], folder: str) -> None:
    """Let the runs that failed be tried again, as if they never had been."""
    for run in runs:
        place = RunFolder.of(folder, run)
        if place.state.status == FAILED:
            place.write_state(replace(place.state, status=WAITING, failures=0))


def _give_up(folder: str, run: Run, retries: int, why: str) -> State:
    place = RunFolder.of(folder, run)
    with place.locked():
        state = replace(place.state, status=FAILED, failures=retries + 1, error=why)
        place.write_state(state)
    return state
