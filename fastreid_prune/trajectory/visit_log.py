"""The visits of a run, epoch by epoch: what every recorder shares."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.trajectory.joined_log import JoinedLog
from fastreid_prune.trajectory.records import Visits
from fastreid_prune.trajectory.samples import Samples
from fastreid_prune.trajectory.statistics import BatchStatistics

_STATE_VERSION = 2


class VisitLog:
    """Collects the statistics of batches, on their device until the epoch is closed, and checks them then.

    Attributes:
        epochs: the visits of each closed epoch.
        labels: ``[N]`` int64, the given class of each sample; -1 until its first visit.
        visits: ``[N]`` int64, all visits in closed epochs.
        filled: ``[N]`` bool, the samples that only the closing pass has visited.
    """

    def __init__(self, num_samples: int, num_classes: int, samples: Samples | None, head: str) -> None:
        if num_samples < 1 or num_classes < 2:
            raise ValueError(
                f"num_samples {num_samples} must be at least 1, num_classes {num_classes} at least 2"
            )
        if samples is not None and len(samples) != num_samples:
            raise ValueError(f"{len(samples)} samples named, num_samples is {num_samples}")
        self.num_samples, self.num_classes, self.samples, self.head = num_samples, num_classes, samples, head
        self.epochs: list[Visits] = []
        self.labels = np.full(num_samples, -1, dtype=np.int64)
        self.visits = np.zeros(num_samples, dtype=np.int64)
        self.filled = np.zeros(num_samples, dtype=bool)
        self._forget_open_epoch()

    def _forget_open_epoch(self) -> None:
        self._sizes: list[int] = []
        self._whole: list[Tensor] = []
        self._real: list[Tensor] = []

    def append(
        self, sizes: list[int], sample_index: Tensor, labels: Tensor, statistics: BatchStatistics
    ) -> None:
        """Add batches of ``sizes`` rows, one after another in rows and labels ``[B]`` int64 and statistics."""
        predicted, *real = statistics
        self._sizes += sizes
        self._whole.append(torch.stack((sample_index, labels, predicted)))
        self._real.append(torch.stack(real))

    def end_epoch(self) -> Visits:
        """Close the epoch with the batches since the last one; gives its visits.

        Raises:
            FastreidPruneError: a logit was NaN or infinite, or a sample came with two labels.
        """
        visits = self._take(f"epoch {len(self.epochs)}")
        self.epochs.append(visits)
        return visits

    def end_fill(self) -> Visits:
        """Count the batches since the last epoch to that epoch; gives their visits.

        Raises:
            ValueError: no epoch was closed.
            FastreidPruneError: as for :meth:`end_epoch`.
        """
        if not self.epochs:
            raise ValueError("end_fill() closes visits made after the last end_epoch(), and there was none")
        new = self.visits == 0
        visits = self._take(f"the closing pass after epoch {len(self.epochs) - 1}")
        visits.step[:] += self.epochs[-1].step.max(initial=-1) + 1
        self.epochs[-1] = Visits.joined([self.epochs[-1], visits])
        self.filled |= new & (self.visits > 0)
        return visits

    def must_be_closed(self) -> None:
        """Refuse to go on in the middle of an epoch."""
        if self._whole:
            raise ValueError("visits since the last end_epoch(): call end_epoch() (or end_fill()) first")

    def check(self, sample_index: Tensor, labels: Tensor, batch: int) -> None:
        """Refuse what does not fit; values are looked at where that needs no waiting for a device."""
        for name, tensor, size in (
            ("sample_index", sample_index, self.num_samples),
            ("labels", labels, self.num_classes),
        ):
            if tensor.shape != (batch,):
                raise ValueError(
                    f"{name}: shape {list(tensor.shape)}, expected [{batch}], one a row of the batch"
                )
            if tensor.device.type == "cpu" and batch:
                low, high = int(tensor.min()), int(tensor.max())
                if low < 0 or high >= size:
                    raise ValueError(f"{name}: values from {low} to {high}, expected 0 to {size - 1}")

    def name(self, row: int) -> str:
        """What a person calls the sample of a row."""
        return f"sample {row}" if self.samples is None else f"sample {row} ({self.samples.file_name[row]})"

    def known_labels(self) -> np.ndarray:
        """``[N]`` int64: the labels seen; for samples never seen those of ``samples``, or else -1."""
        samples = self.trained_samples()
        return self.labels if samples is None else np.where(self.labels < 0, samples.label, self.labels)

    def trained_samples(self) -> Samples | None:
        """Who the rows are, with the class numbers of the labels seen.

        Raises:
            FastreidPruneError: the labels seen are not those of the samples.
        """
        return None if self.samples is None else self.samples.as_trained(self.labels, self.num_classes)

    def meta(self) -> dict[str, Any]:
        """What belongs into a trajectory's meta."""
        never = int((self.visits == 0).sum())
        return {"head": self.head, "filled": int(self.filled.sum()), "never_visited": never}

    def state_dict(self) -> dict[str, Any]:
        """The closed epochs as tensors and numbers."""
        self.must_be_closed()
        return {
            "version": _STATE_VERSION,
            "num_samples": self.num_samples,
            "num_classes": self.num_classes,
            "epochs": len(self.epochs),
            "visits": [
                {name: torch.from_numpy(a) for name, a in vars(visits).items()} for visits in self.epochs
            ],
            "labels": torch.from_numpy(self.labels),
            "filled": torch.from_numpy(self.filled),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a copy of ``state``.

        Raises:
            FastreidPruneError: it is of another data set or of another version.
        """
        own = {"version": _STATE_VERSION, "num_samples": self.num_samples, "num_classes": self.num_classes}
        for key, expected in own.items():
            if state[key] != expected:
                raise FastreidPruneError(
                    f"recorder state: {key} is {state[key]}, expected {expected}. It belongs to another data "
                    "set or version: start the run anew in an empty output folder."
                )
        self._forget_open_epoch()
        self.epochs = [Visits(**{name: a.numpy().copy() for name, a in v.items()}) for v in state["visits"]]
        self.labels = state["labels"].numpy().copy()
        self.filled = state["filled"].numpy().copy()
        self.visits = np.zeros(self.num_samples, dtype=np.int64)
        for visits in self.epochs:
            self.visits += np.bincount(visits.sample, minlength=self.num_samples)

    def payload(self) -> dict[str, Any]:
        """What a rank sends for :func:`.joined_log.join_logs`."""
        self.must_be_closed()
        return {"epochs": self.epochs, "labels": self.labels, "visits": self.visits, "filled": self.filled}

    def take_over(self, joined: JoinedLog) -> None:
        """Hold what all ranks saw instead of what was recorded here."""
        self.epochs, self.labels, self.visits, self.filled = (
            joined.epochs,
            joined.labels,
            joined.visits,
            joined.filled,
        )

    def _take(self, when: str) -> Visits:
        step = np.repeat(np.arange(len(self._sizes), dtype=np.int32), self._sizes)
        whole, real = _on_host(self._whole, 3, torch.int64), _on_host(self._real, 4, torch.float32)
        self._forget_open_epoch()
        sample, labels, predicted = whole.numpy()
        given, best_other, loss, el2n = real.numpy().copy()
        self._refuse_not_finite(sample[~np.isfinite(loss)], when)
        self._refuse_two_labels(sample, labels, when)
        self.visits += np.bincount(sample, minlength=self.num_samples)
        return Visits(
            sample.astype(np.int32), step, predicted.astype(np.int32), given, best_other, loss, el2n
        )

    def _refuse_not_finite(self, bad: np.ndarray, when: str) -> None:
        if len(bad):
            head = f" of head {self.head}" if self.head else ""
            raise FastreidPruneError(
                f"NaN or infinite logits{head} in {when}: {self.name(bad[0])}, and {len(np.unique(bad)) - 1} "
                "more samples. Nothing computed from them can be trusted. Lower the learning rate or switch "
                "mixed precision off, and score again."
            )

    def _refuse_two_labels(self, sample: np.ndarray, labels: np.ndarray, when: str) -> None:
        known = self.labels.copy()
        known[sample] = np.where(known[sample] < 0, labels, known[sample])
        wrong = np.flatnonzero(known[sample] != labels)
        if len(wrong):
            row = sample[wrong[0]]
            raise FastreidPruneError(
                f"{self.name(row)} came with two labels by {when}: {labels[wrong[0]]} and {known[row]}. A "
                "sample has one given label: check that sample_index and labels belong together."
            )
        self.labels = known


def _on_host(batches: list[Tensor], rows: int, dtype: torch.dtype) -> Tensor:
    """Batches ``[rows, B]`` side by side, in host memory: one copy a device, however many batches."""
    by_device = [list(group) for _, group in groupby(batches, key=lambda batch: batch.device)]
    joined = [torch.cat(group, 1).cpu() for group in by_device]
    return torch.cat([torch.empty(rows, 0, dtype=dtype), *joined], 1)
