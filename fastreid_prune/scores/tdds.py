"""How unevenly the predictions moved, the late epochs counting most."""

from pathlib import Path

import numpy as np
from scipy.special import log_softmax

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.scores.registry import method
from fastreid_prune.trajectory.blocks import row_slices
from fastreid_prune.trajectory.per_epoch_logits import open_epoch
from fastreid_prune.trajectory.store import Trajectory


@method(
    "tdds",
    source="Zhang et al., Spanning Training Progress: Temporal Dual-Depth Scoring (TDDS) for Enhanced Dataset Pruning, "
    "CVPR 2024, arXiv 2311.13613",
    direction="the prediction moved in some epochs and rested in others",
    optional=True,
)
def tdds(trajectory: Trajectory, window: int = 10, decay: float = 0.9) -> np.ndarray:
    """The spread of the epochs' steps within a window, as a moving average over the windows, ``[N]``.

    A step is sum_c |p'_c ln(p'_c / p_c)|, from an epoch's softmax p to the next one's p'. Of a window of ``window``
    epochs the score is the Euclidean length of (steps - their mean); windows are summed with the weights
    decay (1 - decay)^k, k = 0 for the last. In a run of fewer epochs the window is as long as the run. Where an epoch
    did not visit a sample its prediction is taken to rest.

    Needs the logits of every epoch, which are kept on request.

    Args:
        trajectory: what a run recorded.
        window: epochs, at least 2; the authors use 10.
        decay: of the moving average, in (0, 1]; the authors use 0.9.

    Raises:
        FastreidPruneError: the run has fewer than 2 epochs, or kept no logits of its epochs.
    """
    epochs = trajectory.num_epochs
    if min(window, epochs) < 2 or not 0 < decay <= 1:
        raise FastreidPruneError(
            f"tdds: window {window}, decay {decay} in a run of {epochs} epochs: at least 2 epochs, and a decay in "
            "(0, 1] expected."
        )
    if trajectory.whole is None:
        raise FastreidPruneError(
            "tdds needs the logits of every epoch, and this run kept their mean alone. Record it again with the logits "
            "of every epoch kept."
        )
    length = min(window, epochs)
    result = np.empty(trajectory.num_samples)
    for rows in row_slices(trajectory.num_samples, 8 * trajectory.num_classes * epochs):
        steps = _steps(trajectory.whole, rows, epochs)
        score = np.zeros(steps.shape[1])
        for start in range(epochs - length + 1):
            inside = steps[start : start + length - 1]
            spread = np.linalg.norm(inside - inside.mean(0), axis=0)
            score += spread * decay * (1 - decay) ** (epochs - length - start)
        result[rows] = score
    return np.where(trajectory.epochs.visits.sum(0) > 0, result, np.nan)


def _steps(whole: Path, rows: slice, epochs: int) -> np.ndarray:
    """``[T - 1, n]`` float64: how far each sample's prediction moved from epoch to epoch."""
    before: np.ndarray | None = None
    steps = []
    for epoch in range(epochs):
        logits = np.asarray(open_epoch(whole, epoch)[rows], np.float64)
        now = log_softmax(np.clip(logits, -65504, 65504), axis=1)
        if before is not None:
            now = np.where(np.isnan(now), before, now)
            step = np.abs(np.exp(now) * (now - before)).sum(1)
            # a first visit has nothing to move from
            steps.append(np.where(np.isnan(step), 0.0, step))
        before = now
    return np.array(steps)
