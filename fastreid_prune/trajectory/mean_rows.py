"""Mean logits and features as a recorder holds them: sums, and how many visits they are of."""

import numpy as np
from torch import Tensor

from fastreid_prune.trajectory.blocks import Rows


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

    def __init__(self, total: Rows, visits: np.ndarray, num_classes: int) -> None:
        self.shape = (len(visits), num_classes)
        self._total, self._visits = total, visits

    def __getitem__(self, rows: slice) -> np.ndarray:
        visits = self._visits[rows]
        divisor = np.where(visits > 0, visits, np.nan).astype(np.float32)
        return self._total[rows] / divisor[:, None]


class FeatureSum:
    """``visits`` times the last features, of length 1, plus the sum of those of the training forwards.

    Over the visits that is the features of a run in which both are recorded: the last ones count as much as all
    others together. What a network says of an augmented image before it learns from it is less bent towards the
    image's label than what it says after its last epoch, and varies more: the sum tells wrong labels better than
    either does.

    Args:
        last: ``[N, D]``, or None; rows of NaN or zeros add nothing.
        training: ``[N, D]``, the sum over the visits of features of length 1.
        visits: ``[N]`` int64.
    """

    def __init__(self, last: Rows | None, training: Rows, visits: np.ndarray) -> None:
        self.shape = training.shape
        self._last, self._training, self._visits = last, training, visits

    def __getitem__(self, rows: slice) -> np.ndarray:
        total = np.array(self._training[rows], dtype=np.float32)
        if self._last is not None:
            last = np.nan_to_num(self._last[rows])
            length = np.maximum(np.linalg.norm(last, axis=1, keepdims=True), 1e-12)
            total += last / length * self._visits[rows, None].astype(np.float32)
        return total
