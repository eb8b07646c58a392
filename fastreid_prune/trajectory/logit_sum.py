"""The sum of all logits of each sample, ``[N, C]`` float32, where it fits."""

import os
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from fastreid_prune.trajectory.host_queue import HostQueue
from fastreid_prune.trajectory.storage import STORAGES, allocate_rows


class LogitSum:
    """``sum[i] += logits`` for the rows of a batch; a row that occurs twice is added twice.

    The array is made at the first batch, when the device is known.
    """

    def __init__(self, shape: tuple[int, int], storage: str, folder: str | os.PathLike | None) -> None:
        if storage not in STORAGES:
            raise ValueError(f"storage {storage!r}, expected one of {', '.join(STORAGES)}")
        self.shape, self._storage, self._folder = shape, storage, folder
        self.tensor: Tensor | None = None
        self._loaded: Tensor | None = None
        self._queue = HostQueue(self._add_here)

    def add(self, sample_index: Tensor, logits: Tensor) -> None:
        """Add ``logits`` ``[B, C]``, of any floating type, to the rows ``sample_index`` ``[B]`` int64."""
        if self.tensor is None:
            self._make(logits.device)
        if logits.device == self.tensor.device:
            self._add_here(sample_index, logits)
        else:
            self._queue.put(sample_index, logits)

    def flush(self) -> None:
        """Wait until everything added is in the sum."""
        self._queue.flush()

    def load(self, tensor: Tensor | None) -> None:
        """Go on from ``tensor`` ``[N, C]``, which must not change afterwards; None: from nothing."""
        self._queue = HostQueue(self._add_here)
        self.tensor, self._loaded = None, tensor

    def current(self) -> Tensor | None:
        """The sum so far, ``[N, C]`` on its own device; None if nothing was added."""
        return self._loaded if self.tensor is None else self.tensor

    def _make(self, device: torch.device) -> None:
        self.tensor = allocate_rows(self.shape, self._storage, device, self._folder)
        if self._loaded is not None:
            self.tensor.copy_(self._loaded)
            self._loaded = None

    def _add_here(self, sample_index: Tensor, logits: Tensor) -> None:
        self.tensor.index_add_(0, sample_index, logits.to(torch.float32))


class SumRows(Protocol):
    """A sum of logits that gives slices of rows as arrays in host memory."""

    def __getitem__(self, rows: slice) -> np.ndarray:
        """The rows ``[n, C]`` float32 of a slice."""


class HostRows:
    """The rows of a tensor ``[N, C]`` on any device, or zeros if there is none."""

    def __init__(self, tensor: Tensor | None, shape: tuple[int, int]) -> None:
        self._tensor, self.shape = tensor, shape

    def __getitem__(self, rows: slice) -> np.ndarray:
        if self._tensor is None:
            return np.zeros((len(range(*rows.indices(self.shape[0]))), self.shape[1]), dtype=np.float32)
        return self._tensor[rows].cpu().numpy()


class MeanRows:
    """``total / visits``, computed when rows are read; rows without a visit are NaN."""

    def __init__(self, total: SumRows, visits: np.ndarray, num_classes: int) -> None:
        self.shape = (len(visits), num_classes)
        self._total, self._visits = total, visits

    def __getitem__(self, rows: slice) -> np.ndarray:
        visits = self._visits[rows]
        divisor = np.where(visits > 0, visits, np.nan).astype(np.float32)
        return self._total[rows] / divisor[:, None]
