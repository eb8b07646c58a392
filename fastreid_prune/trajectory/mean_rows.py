"""The mean logits as a recorder holds them: a sum, and how many visits it is of."""

from typing import Protocol

import numpy as np
from torch import Tensor


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
