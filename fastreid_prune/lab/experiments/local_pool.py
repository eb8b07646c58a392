"""Runs on this machine, one after another or one a GPU."""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

from fastreid_prune.lab.experiments.execute import Settings, execute
from fastreid_prune.lab.experiments.run_folder import State
from fastreid_prune.lab.experiments.runs import Run
from fastreid_prune.lab.training_process import Line


class LocalPool:
    """Threads that wait for the processes of trainings.

    Args:
        settings: of the sweep.
        jobs: how many at a time. With GPUs, the k-th job sees the k-th GPU only.
    """

    lost: tuple[type[Exception], ...] = ()

    def __init__(self, settings: Settings, jobs: int = 1):
        self.slots = jobs
        self._settings = settings
        self._line = Line()
        self._threads = ThreadPoolExecutor(jobs)
        gpus = _gpus() if jobs > 1 else []
        self._places: SimpleQueue[dict[str, str]] = SimpleQueue()
        for job in range(jobs):
            self._places.put({"CUDA_VISIBLE_DEVICES": gpus[job % len(gpus)]} if gpus else {})

    def submit(self, run: Run) -> Future[State]:
        """Begin a run."""
        return self._threads.submit(self._execute, run)

    def close(self) -> None:
        """End the trainings under way."""
        self._line.cut()
        self._threads.shutdown(cancel_futures=True)

    def _execute(self, run: Run) -> State:
        place = self._places.get()
        try:
            return execute(run, self._settings, place, self._line)
        finally:
            self._places.put(place)


def _gpus() -> list[str]:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [gpu for gpu in visible.split(",") if gpu]
    import torch

    return [str(index) for index in range(torch.cuda.device_count())]
