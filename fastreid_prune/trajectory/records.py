"""What is kept of each epoch and sample, and how visits become that."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True)
class Visits:
    """One epoch's visits in the order they were made; ``V`` is their number, 0 or more for each sample.

    Attributes:
        sample: ``[V]`` int32, the row of the sample.
        step: ``[V]`` int32, the position of the visit's batch in the epoch. It orders the visits of several
            ranks.
        predicted: ``[V]`` int32, the class with the highest logit (the lowest such class at a tie).
        given_logit: ``[V]`` float32, the logit of the given label.
        best_other_logit: ``[V]`` float32, the highest logit of any other class.
        loss: ``[V]`` float32, the cross-entropy with the given label in nats.
        el2n: ``[V]`` float32, the Euclidean length of softmax(logits) - onehot(label), in [0, sqrt(2)].
    """

    sample: np.ndarray
    step: np.ndarray
    predicted: np.ndarray
    given_logit: np.ndarray
    best_other_logit: np.ndarray
    loss: np.ndarray
    el2n: np.ndarray

    def __len__(self) -> int:
        return len(self.sample)

    def take(self, order: np.ndarray) -> "Visits":
        """The visits at the positions ``order`` (or where the mask ``order`` is true)."""
        return Visits(*(getattr(self, field.name)[order] for field in fields(self)))

    @staticmethod
    def joined(parts: Sequence["Visits"]) -> "Visits":
        """The visits of ``parts``, one after another."""
        return Visits(
            *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Visits))
        )


@dataclass(frozen=True)
class EpochRecords:
    """Per epoch and sample, ``[T, N]`` each. A sample's value is the mean over its visits in the epoch.

    In an epoch without a visit of a sample, its counts are 0, its means are NaN and its prediction is -1.

    Attributes:
        visits: int32, how often the sample was seen.
        given_logit: float32, the logit of the given label.
        best_other_logit: float32, the highest logit of any other class.
        loss: float32, the cross-entropy with the given label, in nats.
        el2n: float32, the length of softmax(logits) - onehot(label).
        predicted: int32, the class predicted at the last visit of the epoch.
        correct: int32, at how many visits the given label was predicted.
        forgotten: int32, how many visits got the sample wrong right after a visit, in this epoch or before,
            that got it right (the forgetting events of Toneva et al. 2019).
    """

    visits: np.ndarray
    given_logit: np.ndarray
    best_other_logit: np.ndarray
    loss: np.ndarray
    el2n: np.ndarray
    predicted: np.ndarray
    correct: np.ndarray
    forgotten: np.ndarray

    def final_accuracy(self) -> float | None:
        """The share of the last epoch's visits that predicted the given label; None where there is no record."""
        if not len(self.visits):
            return None
        return float(self.correct[-1].sum() / max(self.visits[-1].sum(), 1))

    def mean_over_visits(self, values: np.ndarray) -> np.ndarray:
        """The mean ``[N]`` float64 of ``values`` ``[T, N]`` over all visits; NaN where there was none."""
        total = np.zeros(values.shape[1])
        for value, visits in zip(values, self.visits, strict=True):
            seen = visits > 0
            total[seen] += value[seen].astype(np.float64) * visits[seen]
        visits = self.visits.sum(axis=0, dtype=np.int64)
        return np.where(visits > 0, total / np.maximum(visits, 1), np.nan)


_DTYPES = {
    "visits": np.int32,
    "given_logit": np.float32,
    "best_other_logit": np.float32,
    "loss": np.float32,
    "el2n": np.float32,
    "predicted": np.int32,
    "correct": np.int32,
    "forgotten": np.int32,
}


def summarise(epochs: Sequence[Visits], labels: np.ndarray) -> EpochRecords:
    """The records ``[T, N]`` of ``T`` epochs of visits; ``labels`` is ``[N]`` int64."""
    num_samples = len(labels)
    arrays = {name: np.empty((len(epochs), num_samples), dtype) for name, dtype in _DTYPES.items()}
    knew = np.zeros(num_samples, dtype=bool)
    for t, visits in enumerate(epochs):
        count = np.bincount(visits.sample, minlength=num_samples)
        arrays["visits"][t] = count
        for name in ("given_logit", "best_other_logit", "loss", "el2n"):
            total = np.bincount(visits.sample, getattr(visits, name).astype(np.float64), num_samples)
            arrays[name][t] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        right = visits.predicted == labels[visits.sample]
        arrays["correct"][t] = np.bincount(visits.sample[right], minlength=num_samples)
        arrays["forgotten"][t] = _forgotten(visits.sample, right, knew)
        # of a row that occurs several times, the last assignment stays
        knew[visits.sample] = right
        arrays["predicted"][t] = -1
        arrays["predicted"][t][visits.sample] = visits.predicted
    return EpochRecords(**arrays)


def _forgotten(sample: np.ndarray, right: np.ndarray, knew: np.ndarray) -> np.ndarray:
    """The visits ``[N]`` that are wrong right after one that was right; ``knew``: right before the epoch."""
    order = np.argsort(sample, kind="stable")
    sample, right = sample[order], right[order]
    previous = np.empty_like(right)
    previous[1:] = right[:-1]
    first = np.ones(len(sample), dtype=bool)
    first[1:] = sample[1:] != sample[:-1]
    previous[first] = knew[sample[first]]
    return np.bincount(sample[previous & ~right], minlength=len(knew))
