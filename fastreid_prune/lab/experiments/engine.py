"""Bringing a sweep's runs to their end: what is ready starts, what failed is tried again, the rest goes on."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from fastreid_prune.lab.experiments.run_folder import DONE, FAILED, RunFolder, State
from fastreid_prune.lab.experiments.runners import Runner
from fastreid_prune.lab.experiments.runs import Run

Report = Callable[[Run, State, bool], None]


def work(runs: Sequence[Run], folder: str, runner: Runner, retries: int, report: Report) -> None:
    """Execute the runs that are not done, as many at a time as the runner takes.

    Args:
        runs: scoring runs before those that need them.
        folder: of the sweep.
        runner: where they are executed.
        retries: how often a failed run is tried again.
        report: is told of every run that ended: the run, its state, whether it is tried again.
    """
    states = {run.digest: RunFolder.of(folder, run).state for run in runs}
    waiting = [run for run in runs if not is_over(states[run.digest], retries)]
    under_way = 0
    while waiting or under_way:
        for run in list(waiting):
            source = run.source and states[run.source.digest]
            if source is not None and is_over(source, retries) and source.status == FAILED:
                waiting.remove(run)
                states[run.digest] = _without_source(folder, run, retries)
                report(run, states[run.digest], False)
            elif under_way < runner.slots and (source is None or source.status == DONE):
                waiting.remove(run)
                runner.start(run)
                under_way += 1
        if not under_way:
            continue
        run, state = runner.finished()
        under_way -= 1
        states[run.digest] = state
        again = not is_over(state, retries)
        if again:
            waiting.insert(0, run)
        report(run, state, again)


def is_over(state: State, retries: int) -> bool:
    """Whether nothing more is to be done: the run is done, or has failed too often."""
    return state.status == DONE or (state.status == FAILED and state.failures > retries)


def forgive(runs: Sequence[Run], folder: str) -> None:
    """Let the runs that failed be tried again, as if they never had been."""
    for run in runs:
        place = RunFolder.of(folder, run)
        state = place.state
        if state.status == FAILED:
            place.write_state(replace(state, status="waiting", failures=0, restart=True))


def _without_source(folder: str, run: Run, retries: int) -> State:
    place = RunFolder.of(folder, run)
    state = replace(place.state, status=FAILED, failures=retries + 1, error="its scoring run failed")
    place.write_state(state)
    return state
