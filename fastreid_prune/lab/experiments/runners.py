"""Where runs are executed: here, one after another or one a GPU."""

import os
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from queue import SimpleQueue
from typing import Protocol

from fastreid_prune.lab.experiments.execute import Settings, execute, stop_all
from fastreid_prune.lab.experiments.run_folder import State
from fastreid_prune.lab.experiments.runs import Run


class Runner(Protocol):
    """Executes runs; several at a time."""

    slots: int

    def start(self, run: Run) -> None:
        """Begin a run; at most ``slots`` are under way."""

    def finished(self) -> tuple[Run, State]:
        """Wait for the next run to end."""

    def close(self, stop: bool) -> None:
        """Clean up; with ``stop``, end the runs that are under way."""


class LocalRunner:
    """Runs on this machine.

    Args:
        settings: of the sweep.
        jobs: how many at a time. With GPUs, the k-th job sees the k-th GPU only.
    """

    def __init__(self, settings: Settings, jobs: int = 1):
        self.slots = jobs
        self._settings = settings
        self._pool = ThreadPoolExecutor(jobs, thread_name_prefix="run")
        self._places: SimpleQueue[int] = SimpleQueue()
        for place in range(jobs):
            self._places.put(place)
        self._gpus = _gpus() if jobs > 1 else []
        self._under_way: dict[Future, Run] = {}

    def start(self, run: Run) -> None:
        """Begin a run in a thread that waits for its process."""
        self._under_way[self._pool.submit(self._execute, run)] = run

    def finished(self) -> tuple[Run, State]:
        """Wait for the next run to end."""
        ended, _ = wait(self._under_way, return_when=FIRST_COMPLETED)
        future = next(iter(ended))
        return self._under_way.pop(future), future.result()

    def close(self, stop: bool) -> None:
        """Wait for the threads; with ``stop``, kill their processes first."""
        if stop:
            stop_all()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _execute(self, run: Run) -> State:
        place = self._places.get()
        try:
            gpu = {"CUDA_VISIBLE_DEVICES": self._gpus[place % len(self._gpus)]} if self._gpus else {}
            return execute(run, self._settings, gpu)
        finally:
            self._places.put(place)


def _gpus() -> list[str]:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [gpu for gpu in visible.split(",") if gpu]
    import torch

    return [str(index) for index in range(torch.cuda.device_count())]
