"""Recording logits in any PyTorch training loop. Needs torch and numpy only."""

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize
from torch.utils.hooks import RemovableHandle

from fastreid_prune.trajectory.blocks import Rows
from fastreid_prune.trajectory.mean_rows import FeatureSum, HostRows, MeanRows
from fastreid_prune.trajectory.per_epoch_logits import EpochWriter
from fastreid_prune.trajectory.records import summarise
from fastreid_prune.trajectory.samples import Samples
from fastreid_prune.trajectory.statistics import batch_statistics
from fastreid_prune.trajectory.storage_buffer import StorageBuffer, add_all, keep_last
from fastreid_prune.trajectory.store import Trajectory, save_trajectory
from fastreid_prune.trajectory.visit_log import VisitLog


class LogitRecorder:
    """Records what training says about each sample, at next to no cost.

    Call :meth:`update` with every batch and :meth:`end_epoch` after every epoch, then :meth:`trajectory` or
    :meth:`save`. Both kinds of epochs are fine: the training forwards themselves, where sampling visits a
    sample any number of times (0 included, and twice in one batch too), or one clean pass in eval mode.

    Of an epoch and sample, the means over the visits are kept; where one value is kept (the prediction, the
    features), it is the last visit's. Visits are ordered by their batch, then by their place in the batch.
    The mean logits are the mean over all visits; with one visit an epoch that is the paper's (1/T) sum over
    epochs.

    Memory: ``4 N C`` bytes for the sum of the logits and ``4 N D`` for either kind of features if given
    (``storage`` says where), and about 40 bytes a visit (on the device for the visits of the running epoch).

    Args:
        num_samples: N, the rows of the training set.
        num_classes: C, at least 2.
        storage: where the sum of the logits and the features live: ``device`` (that of the first logits),
            ``host``, ``disk`` (memory-mapped in ``folder``), or ``auto``, the first of these where it fits;
            the choice is logged.
        folder: where ``disk`` makes its file; the system's temporary folder if None.
        samples: who the rows are, for messages and for the trajectory.
        head: the name of the classifier whose logits these are, for messages.
        keep_logits: a folder for the whole trajectory, a float16 ``[N, C]`` file an epoch (see
            :mod:`.per_epoch_logits`); None: only the mean is kept.

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
        keep_logits: str | os.PathLike | None = None,
    ) -> None:
        self.log = VisitLog(num_samples, num_classes, samples, head)
        self.logit_sum = StorageBuffer(num_samples, add_all, storage, folder, "sum of the logits")
        self.features = StorageBuffer(num_samples, keep_last, storage, folder, "features", start=math.nan)
        self.training_features = StorageBuffer(
            num_samples, add_all, storage, folder, "sum of training features"
        )
        self.per_epoch = None if keep_logits is None else EpochWriter(keep_logits, (num_samples, num_classes))
        self._watched: Tensor | None = None

    def watch(self, head: torch.nn.Module) -> RemovableHandle:
        """Record as features what goes into ``head``, the classifier's last layer: ``recorder.watch(model.fc)``.

        The next :meth:`update` takes those of the last forward, unless it is given others.

        Returns:
            A handle, whose ``remove()`` ends it.
        """

        def keep(module: torch.nn.Module, inputs: tuple) -> None:
            self._watched = inputs[0].detach()

        return head.register_forward_pre_hook(keep)

    @property
    def num_epochs(self) -> int:
        """How many epochs are closed."""
        return len(self.log.epochs)

    @torch.no_grad()
    def update(
        self,
        sample_index: Tensor,
        logits: Tensor,
        labels: Tensor,
        features: Tensor | None = None,
        training_features: Tensor | None = None,
    ) -> None:
        """Record one batch. Does not wait for the device, and leaves the autograd graph alone.

        A batch may be empty; on several ranks it should then be given all the same, since the ranks' visits
        are ordered by their batches' numbers.

        Args:
            sample_index: ``[B]`` integers in [0, N), on any device.
            logits: ``[B, C]``, any floating type, on any device; without margin, after the scale.
            labels: ``[B]`` integers in [0, C), the given classes, on any device.
            features: ``[B, D]``, any floating type, on any device; those of a sample's last visit are kept.
            training_features: ``[B, D]``, those of a training forward (augmented, before the model learned from
                the batch): their mean over the visits, each of length 1, is added to the last features: see
                :class:`.mean_rows.FeatureSum`.

        Raises:
            ValueError: a shape does not fit; for tensors in host memory also an index or label out of range.
        """
        if self._watched is not None:
            watched, self._watched = self._watched.flatten(1), None
            features = watched if features is None else features
        self._check(sample_index, logits, labels, features, training_features)
        self._record([len(logits)], sample_index, logits, labels, features, training_features)

    @torch.no_grad()
    def update_together(self, batches: Sequence[tuple[Tensor, Tensor, Tensor, Tensor | None]]) -> None:
        """Record several batches at once: as :meth:`update` with each in turn, for the launches of one.

        Args:
            batches: ``(sample_index, logits, labels, training_features)`` of each, on one device, all or none with
                features.

        Raises:
            ValueError: as for :meth:`update`.
        """
        for sample_index, logits, labels, training_features in batches:
            self._check(sample_index, logits, labels, None, training_features)
        sample_index = torch.cat([batch[0] for batch in batches])
        logits = torch.cat([batch[1] for batch in batches])
        labels = torch.cat([batch[2] for batch in batches])
        features = [batch[3] for batch in batches if batch[3] is not None]
        joined = torch.cat(features) if features else None
        self._record([len(batch[0]) for batch in batches], sample_index, logits, labels, None, joined)

    def _check(
        self,
        sample_index: Tensor,
        logits: Tensor,
        labels: Tensor,
        features: Tensor | None,
        training_features: Tensor | None,
    ) -> None:
        if logits.shape != (len(logits), self.log.num_classes) or not logits.is_floating_point():
            found = f"{logits.dtype} {list(logits.shape)}"
            raise ValueError(f"logits: {found}, expected floats [B, {self.log.num_classes}]")
        for given in (features, training_features):
            if given is not None and (given.dim() != 2 or len(given) != len(logits)):
                raise ValueError(f"features: shape {list(given.shape)}, expected [{len(logits)}, D]")
        self.log.check(sample_index, labels, len(logits))

    def _record(
        self,
        sizes: list[int],
        sample_index: Tensor,
        logits: Tensor,
        labels: Tensor,
        features: Tensor | None,
        training_features: Tensor | None,
    ) -> None:
        """Record batches of ``sizes`` rows that follow one another in the tensors."""
        logits = logits.detach()
        sample_index = sample_index.to(logits.device, torch.int64, non_blocking=True)
        labels = labels.to(logits.device, torch.int64, non_blocking=True)
        self.log.append(sizes, sample_index, labels, batch_statistics(logits.to(torch.float32), labels))
        self.logit_sum.put(sample_index, logits)
        if features is not None:
            self.features.put(sample_index.to(features.device, non_blocking=True), features)
        if training_features is not None:
            own_index = sample_index.to(training_features.device, non_blocking=True)
            self.training_features.put(own_index, normalize(training_features.detach().to(torch.float32)))
        if self.per_epoch is not None:
            self.per_epoch.put(sample_index, logits)

    def end_epoch(self) -> None:
        """Close the epoch: the visits since the last call are its visits.

        Raises:
            FastreidPruneError: a logit was NaN or infinite, or a sample came with two labels. What was
                recorded is spoilt then, and no later call will make it good.
        """
        self._flush()
        self.log.end_epoch()
        if self.per_epoch is not None:
            self.per_epoch.end_epoch(self.num_epochs - 1)

    def unvisited(self) -> np.ndarray:
        """The rows ``[K]`` int64 of samples that no closed epoch has visited.

        For a closing clean pass: :meth:`update` with these, then :meth:`end_fill`.
        """
        return np.flatnonzero(self.log.visits == 0)

    def end_fill(self) -> int:
        """Count the visits since the last :meth:`end_epoch` to the last epoch.

        Returns:
            How many samples had no visit before.
        """
        before = len(self.unvisited())
        self._flush()
        visits = self.log.end_fill()
        if self.per_epoch is not None:
            self.per_epoch.end_fill(self.num_epochs - 1, visits.sample)
        return before - len(self.unvisited())

    def trajectory(self, meta: Mapping[str, Any] | None = None) -> Trajectory:
        """All closed epochs as arrays in host memory (another ``4 N C`` bytes; :meth:`save` takes none)."""
        trajectory = self._view(meta)
        trajectory.mean_logits = trajectory.mean_logits[:]
        if trajectory.features is not None:
            trajectory.features = trajectory.features[:].copy()
        return trajectory

    def save(self, folder: str | os.PathLike, meta: Mapping[str, Any] | None = None) -> Path:
        """Write the trajectory of all closed epochs into ``folder``, the mean logits block by block."""
        return save_trajectory(self._view(meta), folder)

    def state_dict(self) -> dict[str, Any]:
        """Everything in the closed epochs, as tensors and numbers; ``epochs`` says how many they are.

        The tensors are the recorder's own, not copies. Only between epochs: the next :meth:`update` would add
        to them. :func:`.state.save_state` writes it atomically.
        """
        return {**self.log.state_dict(), **{name: rows.tensor for name, rows in self._rows().items()}}

    def load_state_dict(self, state: Mapping[str, Any], *, copy: bool = True) -> None:
        """Go on from ``state``, which a recorder of the same sizes gave; what was recorded here is dropped.

        Args:
            state: from :meth:`state_dict`.
            copy: False takes over the large tensors as they are until the next update; for a state that
                nobody else holds.

        Raises:
            FastreidPruneError: the state is of another data set or of another version.
        """
        self.log.load_state_dict(state)
        for name, rows in self._rows().items():
            tensor = state[name]
            rows.load(tensor.clone() if copy and tensor is not None else tensor)

    def _flush(self) -> None:
        for rows in self._rows().values():
            rows.flush()

    def _rows(self) -> dict[str, StorageBuffer]:
        return {
            "sum": self.logit_sum,
            "features": self.features,
            "training_features": self.training_features,
        }

    def feature_rows(self) -> Rows | None:
        """The features ``[N, D]`` of the trajectory, computed when rows are read; None if there are none."""
        parts = [rows.tensor for rows in (self.features, self.training_features)]
        size = max((part.shape[1] for part in parts if part is not None), default=0)
        if not size:
            return None
        last, training = (None if part is None else HostRows(part, (len(part), size)) for part in parts)
        if training is None:
            return last
        visits = self.log.visits
        return MeanRows(FeatureSum(last, training, visits), visits, size)

    def _view(self, meta: Mapping[str, Any] | None) -> Trajectory:
        log = self.log
        log.must_be_closed()
        total = HostRows(self.logit_sum.tensor, (log.num_samples, log.num_classes))
        labels = log.known_labels()
        return Trajectory(
            MeanRows(total, log.visits, log.num_classes),
            labels,
            summarise(log.epochs, labels),
            log.trained_samples(),
            cast(
                "np.ndarray | None", self.feature_rows()
            ),  # rows that are read when asked for, as arrays are
            {**log.meta(), **(meta or {})},
        )
