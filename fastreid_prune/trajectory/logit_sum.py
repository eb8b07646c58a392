"""The sum of all logits of each sample, ``[N, C]`` float32, where it fits."""

import os

import numpy as np
import torch
from torch import Tensor

from fastreid_prune.trajectory.storage import allocate_rows


class LogitSum:
    """``sum[i] += logits`` for the rows of a batch; a row that occurs twice is added twice.

    The array is made at the first batch, when the device is known.
    """

    def __init__(
        self, num_samples: int, num_classes: int, storage: str, folder: str | os.PathLike | None
    ) -> None:
        self.shape = (num_samples, num_classes)
        self._storage, self._folder = storage, folder
        self.tensor: Tensor | None = None

    def add(self, sample_index: Tensor, logits: Tensor) -> None:
        """Add ``logits`` ``[B, C]`` float32 to the rows ``sample_index`` ``[B]`` int64 on the same device."""
        if self.tensor is None:
            self.tensor = allocate_rows(self.shape, self._storage, logits.device, self._folder)
        self.tensor.index_add_(0, sample_index.to(self.tensor.device), logits.to(self.tensor.device))

    def flush(self) -> None:
        """Wait until everything added is in the sum."""

    def load(self, tensor: Tensor | None) -> None:
        """Go on from a copy of ``tensor`` ``[N, C]``; None: from nothing."""
        self.tensor = None
        if tensor is not None:
            self.tensor = allocate_rows(self.shape, self._storage, tensor.device, self._folder)
            self.tensor.copy_(tensor)


class MeanRows:
    """``sum / visits``, computed when rows are read; rows without a visit are NaN."""

    def __init__(self, total: Tensor | None, visits: np.ndarray, num_classes: int) -> None:
        self.shape = (len(visits), num_classes)
        self._total, self._visits = total, visits

    def __getitem__(self, rows: slice) -> np.ndarray:
        visits = self._visits[rows]
        if self._total is None:
            return np.full((len(visits), self.shape[1]), np.nan, dtype=np.float32)
        divisor = np.where(visits > 0, visits, np.nan).astype(np.float32)
        return self._total[rows].cpu().numpy() / divisor[:, None]
