"""Recording for very many classes: features and classifier weights instead of N x C logits."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.files import cannot_write
from fastreid_prune.trajectory.factors import FactoredLogits, epoch_shares
from fastreid_prune.trajectory.host_queue import HostQueue
from fastreid_prune.trajectory.records import summarise
from fastreid_prune.trajectory.samples import Samples
from fastreid_prune.trajectory.statistics import BatchStatistics, batch_statistics
from fastreid_prune.trajectory.storage import reserve
from fastreid_prune.trajectory.storage_buffer import last_occurrences
from fastreid_prune.trajectory.store import FACTORS, Trajectory, save_trajectory
from fastreid_prune.trajectory.visit_log import VisitLog


class FeatureRecorder:
    """Records one clean pass an epoch where ``N x C`` numbers fit nowhere.

    The logits of a linear head are ``features @ weight.T + bias``, and the weights stand still during a clean
    pass in eval mode. So the mean logits follow exactly from ``T D`` numbers a sample and ``T D`` a class,
    and are computed block by block when scoring. (In training mode the weights move at each step: use
    ``LogitRecorder``.)

    Disk: ``4 T (N + C) D`` bytes, and ``4 N D`` for the last features. Memory: one batch and about 40 bytes a
    visit. Scoring: ``2 N C T D`` operations. For T = 12, D = 512: 1 M samples x 100 k classes take 27 GB
    instead of 400 GB; 10 M x 100 k take 248 GB instead of 4 TB and 1.2e16 operations. Measured with T D = 1024
    on one CPU core: 0.61, 1.19 and 2.38 s of processor time for 2 k x 10 k, 4 k x 10 k and 4 k x 20 k, which
    is 68 GFLOP/s at each size; at that speed 10 M x 100 k are two days of one core
    (``benchmarks/recorder.py features`` measures another machine).

    Call :meth:`begin_epoch`, :meth:`update` with every batch, :meth:`end_epoch`; then :meth:`save`.

    Args:
        num_samples: N, the rows of the training set.
        num_classes: C, at least 2.
        folder: the trajectory's folder; the epochs are written below it as they are made.
        samples: who the rows are, for messages and for the trajectory.
        head: the name of the classifier, for messages.
    """

    def __init__(
        self,
        num_samples: int,
        num_classes: int,
        folder: str | os.PathLike,
        *,
        samples: Samples | None = None,
        head: str = "",
    ) -> None:
        self.log = VisitLog(num_samples, num_classes, samples, head)
        self.folder = Path(folder)
        self._weight: Tensor | None = None
        self._bias: Tensor | None = None
        self._file: np.memmap | None = None
        self._queue = HostQueue(self._write)

    @property
    def num_epochs(self) -> int:
        """How many epochs are closed."""
        return len(self.log.epochs)

    @torch.no_grad()
    def begin_epoch(self, weight: Tensor, bias: Tensor | None = None) -> None:
        """Start an epoch's clean pass with the classifier as it is now.

        Args:
            weight: ``[C, D]``; of a cosine head the normalised weight times the scale (and give
                :meth:`update` normalised features).
            bias: ``[C]``; None: zeros.

        Raises:
            ValueError: a shape does not fit, or the last epoch was not closed.
            FastreidPruneError: the disk is full.
        """
        self.log.must_be_closed()
        classes = self.log.num_classes
        if weight.dim() != 2 or len(weight) != classes:
            raise ValueError(f"weight: shape {list(weight.shape)}, expected [{classes}, D]")
        if bias is not None and bias.shape != (classes,):
            raise ValueError(f"bias: shape {list(bias.shape)}, expected [{classes}]")
        self._weight = weight.detach().to(torch.float32, copy=True)
        zeros = torch.zeros(classes, device=weight.device)
        self._bias = zeros if bias is None else bias.detach().to(torch.float32, copy=True)
        shutil.rmtree(self._part, ignore_errors=True)
        try:
            self._part.mkdir(parents=True)
            np.save(self._part / "weight.npy", self._weight.cpu().numpy())
            np.save(self._part / "bias.npy", self._bias.cpu().numpy())
            self._file = _zeros_on_disk(self._part / "features.npy", (self.log.num_samples, weight.shape[1]))
        except OSError as error:
            raise cannot_write(self._part, error) from error

    @torch.no_grad()
    def update(
        self,
        sample_index: Tensor,
        features: Tensor,
        labels: Tensor,
        logits: Tensor | None = None,
        statistics: BatchStatistics | None = None,
    ) -> None:
        """Record one batch of the clean pass. Does not wait for the device.

        Args:
            sample_index: ``[B]`` integers in [0, N), on any device.
            features: ``[B, D]``, what the classifier is applied to, any floating type, on any device.
            labels: ``[B]`` integers in [0, C), on any device.
            logits: ``[B, C]``, the head's own, if they were computed anyway; else they are computed here.
            statistics: of the batch, from a loop that computes the logits of some classes only (sampled softmax).

        Raises:
            ValueError: a shape does not fit, or no epoch was begun.
        """
        if self._file is None or self._weight is None or self._bias is None:
            raise ValueError("update() before begin_epoch(weight, bias)")
        size = self._weight.shape[1]
        if features.shape != (len(features), size):
            raise ValueError(f"features: shape {list(features.shape)}, expected [B, {size}]")
        self.log.check(sample_index, labels, len(features))
        device = features.device
        features = features.detach().to(torch.float32)
        sample_index = sample_index.to(device, torch.int64, non_blocking=True)
        labels = labels.to(device, torch.int64, non_blocking=True)
        if logits is None and statistics is None:
            logits = torch.nn.functional.linear(features, self._weight.to(device), self._bias.to(device))
        if logits is not None:
            statistics = batch_statistics(logits.detach().to(torch.float32), labels)
        assert statistics is not None
        self.log.append([len(features)], sample_index, labels, statistics)
        self._queue.put(sample_index, features[last_occurrences(sample_index)])

    def end_epoch(self) -> None:
        """Close the epoch; its files are on disk then.

        Raises:
            FastreidPruneError: a logit was NaN or infinite, or a sample came with two labels.
        """
        if self._file is None:
            raise ValueError("end_epoch() before begin_epoch(weight, bias)")
        self._queue.flush()
        self._file.flush()
        self._file = None
        self.log.end_epoch()
        final = self.epoch_folder(self.num_epochs - 1)
        shutil.rmtree(final, ignore_errors=True)
        os.replace(self._part, final)

    def unvisited(self) -> np.ndarray:
        """The rows ``[K]`` int64 of samples that no closed epoch has visited."""
        return np.flatnonzero(self.log.visits == 0)

    def trajectory(self, meta: Mapping[str, Any] | None = None) -> Trajectory:
        """All closed epochs; mean logits and features stay on disk.

        Raises:
            ValueError: no epoch was closed.
        """
        self.log.must_be_closed()
        if not self.num_epochs:
            raise ValueError("no epoch was closed yet")
        labels = self.log.known_labels()
        epochs = summarise(self.log.epochs, labels)
        folders = [self.epoch_folder(epoch) for epoch in range(self.num_epochs)]
        logits = FactoredLogits.open(folders, epoch_shares(epochs.visits, [self.num_epochs]))
        meta = {**self.log.meta(), **(meta or {})}
        return Trajectory(logits, labels, epochs, self.log.trained_samples(), logits.last_features, meta)

    def save(self, meta: Mapping[str, Any] | None = None) -> Path:
        """Complete the trajectory in ``folder``."""
        return save_trajectory(self.trajectory(meta), self.folder)

    def state_dict(self) -> dict[str, Any]:
        """The closed epochs' records; their factors are in ``folder`` already. Only between epochs."""
        return self.log.state_dict()

    def load_state_dict(self, state: Mapping[str, Any], *, copy: bool = True) -> None:
        """Go on from a copy of ``state``, whatever ``copy`` says; ``folder`` must hold the factors of its epochs.

        Raises:
            FastreidPruneError: the state is of another data set or version, or factors are missing.
        """
        for epoch in range(state["epochs"]):
            if not self.epoch_folder(epoch).is_dir():
                raise FastreidPruneError(
                    f"{self.epoch_folder(epoch)}: missing, and the recorder's state holds {state['epochs']} "
                    "epochs. Restore the folder, or start the run anew in an empty output folder."
                )
        self.log.load_state_dict(state)
        self._file, self._queue = None, HostQueue(self._write)

    def epoch_folder(self, epoch: int) -> Path:
        """Where the factors of an epoch are."""
        return self.folder / FACTORS / f"epoch_{epoch:04d}"

    @property
    def _part(self) -> Path:
        return self.folder / FACTORS / "epoch.part"

    def _write(self, sample_index: Tensor, features: Tensor) -> None:
        assert self._file is not None
        self._file[sample_index.numpy()] = features.numpy()


def _zeros_on_disk(path: Path, shape: tuple[int, int]) -> np.memmap:
    """A new writable .npy of float32 zeros with its disk space reserved."""
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        file.flush()
        reserve(file.fileno(), file.tell() + 4 * shape[0] * shape[1])
    return np.load(path, mmap_mode="r+")
