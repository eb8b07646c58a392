"""Telling whoever started a training how far it has come."""

import os
import time
from pathlib import Path

from fastreid.engine.train_loop import HookBase
from fastreid.utils import comm

from fastreid_prune.io.progress import PROGRESS, TrainingProgress

_SECONDS = 0.5  # between two writings
_SHARE = 0.1  # of the newest loss in the one that is told: single batches jump


class ProgressFile(HookBase):
    """Writes :class:`.TrainingProgress` to a file, twice a second at most."""

    def __init__(self, path: str | os.PathLike[str]):
        self._path = Path(path)
        self._written = 0.0
        self._loss: float | None = None

    @classmethod
    def asked_for(cls) -> list[HookBase]:
        """The hook, where the environment names a file and this process is the main one."""
        path = os.environ.get(PROGRESS, "")
        return [cls(path)] if path and comm.is_main_process() else []

    def before_train(self) -> None:
        """Say that training begins."""
        self._write(self.trainer.start_epoch * self.trainer.iters_per_epoch)

    def after_step(self) -> None:
        """Say how far it is, if it was not said just now."""
        trainer = self.trainer
        latest = trainer.storage.latest().get("total_loss")
        if latest is not None:
            loss = float(latest[0])
            self._loss = loss if self._loss is None else (1 - _SHARE) * self._loss + _SHARE * loss
        if time.monotonic() - self._written >= _SECONDS or trainer.iter + 1 >= trainer.max_iter:
            self._write(trainer.iter + 1)

    def _write(self, iteration: int) -> None:
        trainer = self.trainer
        each = max(trainer.iters_per_epoch, 1)
        epoch = min(iteration // each + 1, trainer.max_epoch)
        TrainingProgress(iteration, trainer.max_epoch * each, epoch, trainer.max_epoch, self._loss).write(
            self._path
        )
        self._written = time.monotonic()
