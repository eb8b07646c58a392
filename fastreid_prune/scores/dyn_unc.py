"""How much the probability of the given label moves about."""

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.scores.registry import method
from fastreid_prune.trajectory.store import Trajectory


@method(
    "dyn_unc",
    source="He et al., Large-scale Dataset Pruning with Dynamic Uncertainty, CVPR workshops 2024, arXiv 2306.05175",
    direction="the probability of the given label varied much",
)
def dyn_unc(trajectory: Trajectory, window: int = 10) -> np.ndarray:
    """The standard deviation of the given label's probability over ``window`` epochs, mean over all windows, ``[N]``.

    A window's deviation is that of a sample (divided by its epochs less one). In a run of fewer epochs the window is as
    long as the run. Epochs that did not visit a sample are left out of its windows.

    Args:
        trajectory: what a run recorded.
        window: epochs, at least 2; the authors use 10.

    Raises:
        FastreidPruneError: the window, or the run, has fewer than 2 epochs.
    """
    epochs = trajectory.num_epochs
    if min(window, epochs) < 2:
        raise FastreidPruneError(
            f"dyn_unc: a window of {window} in a run of {epochs} epochs, at least 2 expected."
        )
    length = min(window, epochs)
    total, count = np.zeros(trajectory.num_samples), np.zeros(trajectory.num_samples)
    for start in range(epochs - length + 1):
        probability = np.exp(-trajectory.epochs.loss[start : start + length].astype(np.float64))
        seen = ~np.isnan(probability)
        visits = seen.sum(0)
        mean = np.where(seen, probability, 0).sum(0) / np.maximum(visits, 1)
        squares = np.where(seen, (probability - mean) ** 2, 0).sum(0)
        enough = visits >= 2
        total += np.where(enough, np.sqrt(squares / np.maximum(visits - 1, 1)), 0)
        count += enough
    known = trajectory.epochs.visits.sum(0) > 0
    # one visit alone does not vary
    return np.where(known, total / np.maximum(count, 1), np.nan)
