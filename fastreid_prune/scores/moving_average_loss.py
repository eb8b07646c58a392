"""The loss, smoothed over the epochs."""

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.scores.registry import method
from fastreid_prune.trajectory.store import Trajectory


@method(
    "moving_average_loss",
    source="baseline in Yang et al., TMLR 2024, arXiv 2412.10091; the decay is this package's choice",
    direction="the loss stayed high",
)
def moving_average_loss(trajectory: Trajectory, decay: float = 0.8) -> np.ndarray:
    """The exponential moving average of the cross-entropy over the epochs, in nats, ``[N]``.

    m = decay * m + (1 - decay) * loss, starting from the loss at the first epoch that visits the sample;
    epochs without a visit leave m as it is.

    Args:
        trajectory: what a run recorded.
        decay: the weight of the past, in [0, 1); 0 is the loss of the last visited epoch.

    Raises:
        FastreidPruneError: the decay is out of range.

    Example:
        >>> import torch
        >>> from fastreid_prune.trajectory import LogitRecorder
        >>> recorder = LogitRecorder(2, 2)
        >>> recorder.update(torch.arange(2), torch.tensor([[9.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 1]))
        >>> recorder.end_epoch()
        >>> moving_average_loss(recorder.trajectory()).round(2).tolist()
        [0.0, 1.31]
    """
    if not 0 <= decay < 1:
        raise FastreidPruneError(f"moving_average_loss: decay {decay}, expected 0 <= decay < 1.")
    average = np.full(trajectory.num_samples, np.nan)
    for loss in trajectory.epochs.loss:
        average = np.where(
            np.isnan(loss), average, np.where(np.isnan(average), loss, decay * average + (1 - decay) * loss)
        )
    return average
