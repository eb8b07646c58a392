"""The visits of several ranks in one order: by step, then rank, then place in the batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.trajectory.records import Visits


@dataclass(frozen=True)
class JoinedLog:
    """What all ranks saw.

    Attributes:
        epochs: the visits of each epoch.
        ranks: ``[T, N]`` int32, the rank that made the last visit of each sample in each epoch; -1: none did.
        labels: ``[N]`` int64; -1 for samples never visited.
        visits: ``[N]`` int64, over all epochs.
        filled: ``[N]`` bool, samples that only the closing pass has visited.
    """

    epochs: list[Visits]
    ranks: np.ndarray
    labels: np.ndarray
    visits: np.ndarray
    filled: np.ndarray

    def last_rank(self) -> np.ndarray:
        """``[N]`` int32, the rank that made each sample's very last visit; -1 for samples never visited."""
        last = np.full(len(self.labels), -1, dtype=np.int32)
        for ranks in self.ranks:
            last = np.where(ranks >= 0, ranks, last)
        return last

    def without_visits(self) -> "JoinedLog":
        """The same, but for the visits."""
        return replace(self, epochs=[])


def join_logs(payloads: Sequence[dict[str, Any]], name: Callable[[int], str]) -> JoinedLog:
    """The log of all ranks from what each sent, in the order of the ranks.

    Raises:
        FastreidPruneError: they have closed different numbers of epochs, or disagree about a label.
    """
    counts = [len(payload["epochs"]) for payload in payloads]
    if len(set(counts)) > 1:
        raise FastreidPruneError(
            f"the ranks have recorded {counts} epochs. They must be saved and resumed together: start anew, "
            "or resume every rank from the same checkpoint."
        )
    labels = np.max([payload["labels"] for payload in payloads], axis=0)
    for payload in payloads:
        wrong = np.flatnonzero((payload["labels"] >= 0) & (payload["labels"] != labels))
        if len(wrong):
            row = wrong[0]
            raise FastreidPruneError(
                f"{name(row)} has label {payload['labels'][row]} on one rank and {labels[row]} on another. "
                "The ranks list the samples in different orders: sort the file names."
            )
    epochs, ranks = [], np.full((counts[0], len(labels)), -1, dtype=np.int32)
    for epoch in range(counts[0]):
        parts = [payload["epochs"][epoch] for payload in payloads]
        visits = Visits.joined(parts)
        rank = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part) for part in parts])
        order = np.argsort(visits.step, kind="stable")
        epochs.append(visits.take(order))
        # of a row that occurs several times, the last assignment stays
        ranks[epoch][visits.sample[order]] = rank[order]
    filled = np.all([payload["filled"] | (payload["visits"] == 0) for payload in payloads], axis=0)
    visits = np.sum([payload["visits"] for payload in payloads], axis=0)
    return JoinedLog(epochs, ranks, labels, visits, filled & (visits > 0))
