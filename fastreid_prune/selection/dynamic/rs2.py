"""A fresh random subset for every epoch: the plainest alternative to choosing."""

import numpy as np

from fastreid_prune.selection.dynamic.registry import EpochChoice, dynamic


@dynamic(
    "rs2",
    source="Okanovic et al., Repeated Random Sampling for Minimizing the Time-to-Accuracy of Learning, ICLR 2024, "
    "arXiv 2305.18424 (with replacement between epochs, without within one)",
)
def rs2(loss: np.ndarray, ratio: float, random: np.random.Generator) -> EpochChoice:
    """Leave out a random fraction ``ratio`` of the samples for the epoch; whatever is left of the set comes later.

    Args:
        loss: ``[N]``; only its length is looked at.
        ratio: the fraction left out, in [0, 1).
        random: draws who stays.

    >>> rs2(np.full(10, np.nan), 0.3, np.random.default_rng(0)).rows.size
    7
    """
    size = len(loss)
    rows = random.choice(size, size - int(ratio * size), replace=False)
    return EpochChoice(np.sort(rows), np.ones(size, dtype=np.float32))
