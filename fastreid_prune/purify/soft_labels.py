"""What the soft label says of each sample, read block by block."""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.scores.top_classes import too_many, top_classes
from fastreid_prune.trajectory import Trajectory
from fastreid_prune.trajectory.blocks import Rows, row_blocks
from fastreid_prune.trajectory.factors import FactoredLogits


@dataclass(frozen=True)
class SoftLabelSummary:
    """Of softmax(mean logits), ``[N]`` each; NaN (class 0) where a sample was never visited.

    Attributes:
        entropy: nats, in [0, ln C].
        best, second: int64, the classes with the highest probabilities.
        best_probability: of ``best``, in [0, 1].
        given_probability: of the given class, in [0, 1].
    """

    entropy: np.ndarray
    best: np.ndarray
    second: np.ndarray
    best_probability: np.ndarray
    given_probability: np.ndarray


def soft_label_summary(trajectory: Trajectory) -> SoftLabelSummary:
    """Summarise the soft labels of a trajectory; memory: one block. Very many are looked up (:mod:`.top_classes`)."""
    count, logits = trajectory.num_samples, trajectory.mean_logits
    if isinstance(logits, FactoredLogits) and too_many(logits):
        found = top_classes(trajectory)
        own = logits.at(np.arange(count), np.asarray(trajectory.labels)[:, None])[:, 0]
        best, second = found.classes[:, :2].T.astype(np.int64)
        top, given = (np.exp(one - found.log_total) for one in (found.logits[:, 0], own))
        return SoftLabelSummary(found.entropy, best, second, top, given)
    best, second = np.zeros(count, np.int64), np.zeros(count, np.int64)
    entropy, top, given = (np.full(count, np.nan) for _ in range(3))
    for rows, block in row_blocks(logits):
        place = np.arange(len(block))
        two = np.argpartition(-block, 1, axis=1)[:, :2]
        swap = block[place, two[:, 0]] < block[place, two[:, 1]]
        two[swap] = two[swap][:, ::-1]
        shifted = block - block[place, two[:, 0], None]
        weight = np.exp(shifted)
        total = weight.sum(1, dtype=np.float64)
        seen = np.isfinite(total)
        best[rows], second[rows] = np.where(seen[:, None], two, 0).T
        entropy[rows] = np.log(total) - np.einsum("ij,ij->i", weight, shifted, dtype=np.float64) / total
        top[rows] = 1 / total
        given[rows] = weight[place, trajectory.labels[rows]] / total
    return SoftLabelSummary(entropy, best, second, top, given)


def rows_of(rows: Rows, chosen: np.ndarray) -> np.ndarray:
    """Some rows ``[n, C]`` float32, in any order, of what may only give slices."""
    if isinstance(rows, (np.ndarray, FactoredLogits)):
        return np.array(rows[chosen], dtype=np.float32)
    return np.concatenate([np.array(rows[int(row) : int(row) + 1], np.float32) for row in chosen])


def log_softmax(values: np.ndarray) -> np.ndarray:
    """Of each row, in nats."""
    shifted = values - values.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
