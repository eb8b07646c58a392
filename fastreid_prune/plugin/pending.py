"""Batches that wait to be recorded: until the optimizer is under way, and until there are a few."""

from typing import Any

from torch import Tensor

BATCHES = 8  # a recording is some forty launches on a GPU, however many batches it is of


class PendingBatches:
    """Keeps what the head said of training batches, and records several at once, after a step's last launch.

    Nothing is copied: the head's outputs must not change in place, and no head of fastreid's changes them.

    Args:
        recorder: a :class:`.trajectory.LogitRecorder`.
    """

    def __init__(self, recorder: Any) -> None:
        self._recorder = recorder
        self._batches: list[tuple[Tensor, Tensor, Tensor, Tensor | None]] = []

    def put(self, sample_index: Tensor, logits: Tensor, labels: Tensor, features: Tensor | None) -> None:
        """Take a batch; launches nothing."""
        self._batches.append(
            (sample_index, logits.detach(), labels, None if features is None else features.detach())
        )

    def after_step(self) -> None:
        """Record what waits, if it is enough."""
        if len(self._batches) >= BATCHES:
            self.record()

    def record(self) -> None:
        """Record what waits, before an epoch is closed."""
        batches, self._batches = self._batches, []
        if batches:
            self._recorder.update_together(batches)
