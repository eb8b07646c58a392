"""Recording logits in any PyTorch training loop. Needs torch and numpy only."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.trajectory.logit_sum import LogitSum, MeanRows
from fastreid_prune.trajectory.pending import PendingVisits
from fastreid_prune.trajectory.records import Visits, summarise
from fastreid_prune.trajectory.samples import Samples
from fastreid_prune.trajectory.statistics import batch_statistics
from fastreid_prune.trajectory.store import Trajectory, save_trajectory

logger = logging.getLogger(__name__)


class LogitRecorder:
    """Records what training says about each sample, at next to no cost.

    Call :meth:`update` with every batch, :meth:`end_epoch` after every epoch, then :meth:`trajectory` or
    :meth:`save`. A sample may be visited any number of times in an epoch (0 included), twice in one batch too.

    Memory: ``4 N C`` bytes for the sum of the logits (``storage`` says where), ``4 N D`` if features are given, and
    32 bytes a visit.

    Args:
        num_samples: N, the rows of the training set.
        num_classes: C, at least 2.
        storage: where the sum of the logits lives: ``device`` (that of the first logits), ``host``, ``disk``
            (memory-mapped in ``folder``), or ``auto``, the first of these where it fits; the choice is logged.
        folder: where files go with ``disk``; a temporary folder if None.
        samples: who the rows are, for messages and for the trajectory.
        head: the name of the classifier whose logits these are, for messages.

    >>> recorder = LogitRecorder(num_samples=2, num_classes=2)
    >>> recorder.update(torch.tensor([0, 1]), torch.tensor([[3.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 0]))
    >>> recorder.end_epoch()
    >>> recorder.trajectory().epochs.correct
    array([[1, 0]], dtype=int32)
    """

    def __init__(
        self,
        num_samples: int,
        num_classes: int,
        *,
        storage: str = "auto",
        folder: str | os.PathLike | None = None,
        samples: Samples | None = None,
        head: str = "",
    ) -> None:
        if num_samples < 1 or num_classes < 2:
            raise ValueError(
                f"num_samples {num_samples} must be at least 1, num_classes {num_classes} at least 2"
            )
        if samples is not None and len(samples) != num_samples:
            raise ValueError(f"{len(samples)} samples named, num_samples is {num_samples}")
        self.num_samples, self.num_classes = num_samples, num_classes
        self.samples, self.head = samples, head
        self._sum = LogitSum(num_samples, num_classes, storage, folder)
        self._pending = PendingVisits()
        self._epochs: list[Visits] = []
        self._features: Tensor | None = None
        self._labels = np.full(num_samples, -1, dtype=np.int64)
        self._visits = np.zeros(num_samples, dtype=np.int64)
        self._filled = np.zeros(num_samples, dtype=bool)

    @property
    def num_epochs(self) -> int:
        """How many epochs are complete."""
        return len(self._epochs)

    @torch.no_grad()
    def update(
        self, sample_index: Tensor, logits: Tensor, labels: Tensor, features: Tensor | None = None
    ) -> None:
        """Record one batch. Does not wait for the device, and leaves the autograd graph alone.

        Args:
            sample_index: ``[B]`` integers in [0, N), on any device.
            logits: ``[B, C]``, any floating type, on any device; without margin, after the scale.
            labels: ``[B]`` integers in [0, C), the given classes, on any device.
            features: ``[B, D]``, any floating type; each sample keeps those of its last visit.

        Raises:
            ValueError: a shape does not fit; on CPU also an index or label out of range.
        """
        self._check(sample_index, logits, labels, features)
        device = logits.device
        sample_index = sample_index.to(device, torch.int64, non_blocking=True)
        labels = labels.to(device, torch.int64, non_blocking=True)
        logits = logits.to(torch.float32)
        self._pending.append(sample_index, labels, batch_statistics(logits, labels))
        self._sum.add(sample_index, logits)
        if features is not None:
            self._keep_features(sample_index, features)

    def end_epoch(self) -> None:
        """Close the epoch: the visits since the last call are its visits.

        Raises:
            FastreidPruneError: a logit was NaN or infinite, or a sample came with two labels. The recorder must not
                be used after that.
        """
        self._epochs.append(self._take_pending(f"epoch {self.num_epochs}"))

    def unvisited(self) -> np.ndarray:
        """The rows ``[K]`` int64 of samples that no closed epoch has visited."""
        return np.flatnonzero(self._visits == 0)

    def end_fill(self) -> int:
        """Count the visits since the last :meth:`end_epoch` to the last epoch; for a closing clean pass.

        Returns:
            How many samples had no visit before.
        """
        if not self._epochs:
            raise ValueError("end_fill() closes visits made after the last end_epoch(), and there was none")
        new = self._visits == 0
        fill = self._take_pending(f"the closing pass after epoch {self.num_epochs - 1}")
        after = self._epochs[-1].step.max(initial=-1) + 1
        fill.step[:] += after
        self._epochs[-1] = Visits.joined([self._epochs[-1], fill])
        new &= self._visits > 0
        self._filled |= new
        return int(new.sum())

    def trajectory(self, meta: Mapping[str, Any] | None = None) -> Trajectory:
        """All closed epochs as arrays in host memory (another ``4 N C`` bytes; :meth:`save` needs none)."""
        trajectory = self._view(meta)
        trajectory.mean_logits = np.asarray(trajectory.mean_logits[:])
        return trajectory

    def save(self, folder: str | os.PathLike, meta: Mapping[str, Any] | None = None) -> Path:
        """Write the trajectory of all closed epochs into ``folder``, the mean logits block by block."""
        return save_trajectory(self._view(meta), folder)

    def state_dict(self) -> dict[str, Any]:
        """Everything recorded so far, as tensors and numbers; ``epochs`` says up to where.

        The tensors are the recorder's own, not copies. Only between epochs: after :meth:`end_epoch`, before the next
        :meth:`update`.
        """
        self._must_be_closed()
        return {
            "version": 1,
            "num_samples": self.num_samples,
            "num_classes": self.num_classes,
            "epochs": self.num_epochs,
            "visits": [
                {name: torch.from_numpy(a) for name, a in vars(visits).items()} for visits in self._epochs
            ],
            "sum": self._sum.tensor,
            "features": self._features,
            "labels": torch.from_numpy(self._labels),
            "filled": torch.from_numpy(self._filled),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``, which another recorder of the same sizes gave; what was recorded here is dropped.

        Raises:
            FastreidPruneError: the state is of another data set or of a newer version.
        """
        for key, own in (
            ("version", 1),
            ("num_samples", self.num_samples),
            ("num_classes", self.num_classes),
        ):
            if state[key] != own:
                raise FastreidPruneError(
                    f"recorder state: {key} {state[key]}, expected {own}. It belongs to another data set or version: "
                    "start the run anew in an empty OUTPUT_DIR."
                )
        self._pending = PendingVisits()
        self._epochs = [Visits(**{name: a.numpy().copy() for name, a in v.items()}) for v in state["visits"]]
        self._sum.load(state["sum"])
        self._features = None if state["features"] is None else state["features"].clone()
        self._labels = state["labels"].numpy().copy()
        self._filled = state["filled"].numpy().copy()
        self._visits[:] = 0
        for visits in self._epochs:
            self._visits += np.bincount(visits.sample, minlength=self.num_samples)

    def _view(self, meta: Mapping[str, Any] | None) -> Trajectory:
        self._must_be_closed()
        rows = MeanRows(self._sum.tensor, self._visits, self.num_classes)
        labels = (
            self._labels
            if self.samples is None
            else np.where(self._labels < 0, self.samples.label, self._labels)
        )
        features = None
        if self._features is not None:
            features = self._features.cpu().numpy()
        own = {"head": self.head, "filled": int(self._filled.sum()), "never_visited": len(self.unvisited())}
        epochs = summarise(self._epochs, labels)
        return Trajectory(rows, labels, epochs, self.samples, features, {**own, **(meta or {})})

    def _take_pending(self, when: str) -> Visits:
        self._sum.flush()
        visits, labels = self._pending.take(when, self._name)
        known = self._labels[visits.sample]
        wrong = np.flatnonzero((known >= 0) & (known != labels))
        self._labels[visits.sample] = labels
        wrong = wrong if len(wrong) else np.flatnonzero(self._labels[visits.sample] != labels)
        if len(wrong):
            row = visits.sample[wrong[0]]
            raise FastreidPruneError(
                f"{self._name(row)} came with two different labels up to {when}: {labels[wrong[0]]} and "
                f"{known[wrong[0]] if known[wrong[0]] >= 0 else self._labels[row]}. "
                "A sample has one given label: check that sample_index and labels belong together."
            )
        self._visits += np.bincount(visits.sample, minlength=self.num_samples)
        return visits

    def _name(self, row: int) -> str:
        return f"sample {row}" if self.samples is None else f"sample {row} ({self.samples.file_name[row]})"

    def _keep_features(self, sample_index: Tensor, features: Tensor) -> None:
        """Overwrite rows; where a sample occurs twice in the batch, both writes carry its last occurrence."""
        features = features.detach().to(torch.float32)
        if self._features is None:
            with torch.inference_mode(False):
                shape = (self.num_samples, features.shape[1])
                self._features = torch.full(shape, float("nan"), device=features.device)
        same = sample_index.unsqueeze(0) == sample_index.unsqueeze(1)
        last = (same * torch.arange(len(sample_index), device=same.device)).amax(1)
        self._features.index_copy_(0, sample_index, features[last])

    def _must_be_closed(self) -> None:
        if len(self._pending):
            raise ValueError("visits since the last end_epoch(): call end_epoch() (or end_fill()) first")

    def _check(self, sample_index: Tensor, logits: Tensor, labels: Tensor, features: Tensor | None) -> None:
        batch = len(logits)
        if logits.shape != (batch, self.num_classes) or not logits.is_floating_point():
            raise ValueError(
                f"logits: {logits.dtype} {list(logits.shape)}, expected floats [B, {self.num_classes}]"
            )
        for name, tensor, size in (
            ("sample_index", sample_index, self.num_samples),
            ("labels", labels, self.num_classes),
        ):
            if tensor.shape != (batch,):
                raise ValueError(
                    f"{name}: shape {list(tensor.shape)}, expected [{batch}], one a row of logits"
                )
            if (
                tensor.device.type == "cpu"
                and batch
                and not 0 <= int(tensor.min()) <= int(tensor.max()) < size
            ):
                raise ValueError(
                    f"{name}: {int(tensor.min())}..{int(tensor.max())}, expected within [0, {size})"
                )
        if features is not None and (features.dim() != 2 or len(features) != batch):
            raise ValueError(f"features: shape {list(features.shape)}, expected [{batch}, D]")
