"""The visits of the epoch that is under way, kept where the logits were made."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.trajectory.records import Visits
from fastreid_prune.trajectory.statistics import BatchStatistics


class PendingVisits:
    """A list of batches on the device; one copy to the host takes them all at the end of the epoch."""

    def __init__(self) -> None:
        self._whole: list[Tensor] = []
        self._real: list[Tensor] = []

    def __len__(self) -> int:
        return len(self._whole)

    def append(self, sample_index: Tensor, labels: Tensor, statistics: BatchStatistics) -> None:
        """Add a batch: rows ``[B]`` int64, labels ``[B]`` int64 and what the logits said."""
        predicted, *real = statistics
        self._whole.append(torch.stack((sample_index, labels, predicted)))
        self._real.append(torch.stack(real))

    def take(self, when: str, name: Callable[[int], str]) -> tuple[Visits, np.ndarray]:
        """Give the visits and their labels ``[V]`` int64, and start anew.

        Raises:
            FastreidPruneError: a logit was NaN or infinite; ``when`` and ``name(row)`` say where.
        """
        step = np.repeat(
            np.arange(len(self._whole), dtype=np.int32), [batch.shape[1] for batch in self._whole]
        )
        whole = torch.cat([torch.empty(3, 0, dtype=torch.int64), *(t.cpu() for t in self._whole)], 1).numpy()
        real = torch.cat([torch.empty(4, 0), *(t.cpu() for t in self._real)], 1).numpy()
        self._whole, self._real = [], []
        given, best_other, loss, el2n = real
        bad = np.flatnonzero(~np.isfinite(loss))
        if len(bad):
            rows = np.unique(whole[0, bad])
            raise FastreidPruneError(
                f"NaN or infinite logits in {when}: first {name(int(whole[0, bad[0]]))}, {len(rows)} samples in all. "
                "Nothing computed from them can be trusted. Lower the learning rate or switch mixed precision off, "
                "and score again."
            )
        sample, predicted = whole[0].astype(np.int32), whole[2].astype(np.int32)
        return Visits(
            sample, step, predicted, given.copy(), best_other.copy(), loss.copy(), el2n.copy()
        ), whole[1]
