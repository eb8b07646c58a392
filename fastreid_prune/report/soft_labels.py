"""What the soft label says of every sample: its first identities and how sure it is of each."""

from dataclasses import dataclass, fields

import numpy as np

from fastreid_prune.scores.top_classes import too_many, top_classes
from fastreid_prune.trajectory import Trajectory
from fastreid_prune.trajectory.blocks import row_blocks
from fastreid_prune.trajectory.factors import FactoredLogits

TOP = 3


@dataclass(frozen=True)
class SoftLabels:
    """Of softmax(mean logits); NaN (class 0) where a sample was never visited.

    Attributes:
        top: [N, K] int64, the K most probable classes, the most probable first.
        top_probability: [N, K] float64, their probabilities.
        given_probability: [N] float64, that of the given class.
        margin: [N] float64, the best other class's mean logit minus the given one's: above 0 the soft label
            disagrees with the given label.
    """

    top: np.ndarray
    top_probability: np.ndarray
    given_probability: np.ndarray
    margin: np.ndarray

    def take(self, rows: np.ndarray) -> "SoftLabels":
        """Those of ``rows``, in their order."""
        return SoftLabels(*(getattr(self, field.name)[rows] for field in fields(self)))

    @property
    def seen(self) -> np.ndarray:
        """[N] bool: samples that were visited."""
        return np.isfinite(self.margin)

    def agreement(self, labels: np.ndarray) -> float:
        """The fraction of visited samples whose most probable class is the given one; NaN without any."""
        seen = self.seen
        return float((self.top[seen, 0] == labels[seen]).mean()) if seen.any() else float("nan")


def soft_labels(trajectory: Trajectory, labels: np.ndarray, top: int = TOP) -> SoftLabels:
    """Read the mean logits block by block; memory: one block and O(N).

    Args:
        trajectory: of N samples.
        labels: [N] int64, the given classes.
        top: K, at most the number of classes.
    """
    count, classes = trajectory.num_samples, trajectory.num_classes
    top = min(top, classes)
    factors = trajectory.mean_logits
    if isinstance(factors, FactoredLogits) and too_many(factors):
        known = top_classes(trajectory)
        own = factors.at(np.arange(count), labels[:, None])[:, 0]
        others = np.where(known.classes[:, 0] == labels, known.logits[:, 1], known.logits[:, 0])
        return SoftLabels(
            known.classes[:, :top].astype(np.int64), np.exp(known.logits[:, :top] - known.log_total[:, None]),
            np.exp(own - known.log_total), (others - own).astype(float),
        )  # fmt: skip
    best = np.zeros((count, top), np.int64)
    probability = np.full((count, top), np.nan)
    given, margin = np.full(count, np.nan), np.full(count, np.nan)
    for rows, logits in row_blocks(trajectory.mean_logits):
        place, label = np.arange(len(logits)), labels[rows]
        part = np.argpartition(-logits, top - 1, axis=1)[:, :top]
        order = np.argsort(-np.take_along_axis(logits, part, axis=1), axis=1, kind="stable")
        part = np.take_along_axis(part, order, axis=1)
        highest = logits[place, part[:, 0]]
        total = np.exp(logits - highest[:, None]).sum(axis=1, dtype=np.float64)
        given_logit = logits[place, label]
        seen = np.isfinite(total)
        best[rows] = np.where(seen[:, None], part, 0)
        probability[rows] = np.exp(np.take_along_axis(logits, part, 1) - highest[:, None]) / total[:, None]
        given[rows] = np.exp(given_logit - highest) / total
        others = np.where(part[:, 0] == label, logits[place, part[:, 1]], highest)
        margin[rows] = others - given_logit
    return SoftLabels(best, probability, given, margin)
