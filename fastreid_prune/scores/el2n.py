"""How far the prediction is from the given label."""

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.scores.registry import method
from fastreid_prune.trajectory.store import Trajectory


@method(
    "el2n",
    source="Paul et al., Deep Learning on a Data Diet, NeurIPS 2021, arXiv 2107.07075",
    direction="the prediction is far from the given label",
)
def el2n(trajectory: Trajectory, epoch: int = -1) -> np.ndarray:
    """The length of softmax(logits) - onehot(label) at an epoch, ``[N]`` in [0, sqrt(2)].

    Averaged over merged runs, as the paper does: of 20 runs it is "EL2N (20 models)".

    Args:
        trajectory: what a run recorded.
        epoch: 0 for the first; negative numbers count from the last, which is the default. A sample not
            visited in that epoch takes its last visit before it, or else its first after it.

    Raises:
        FastreidPruneError: the run has no such epoch.

    Example:
        >>> import torch
        >>> from fastreid_prune.trajectory import LogitRecorder
        >>> recorder = LogitRecorder(2, 2)
        >>> recorder.update(torch.arange(2), torch.tensor([[9.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 1]))
        >>> recorder.end_epoch()
        >>> el2n(recorder.trajectory()).round(2).tolist()
        [0.0, 1.03]
    """
    count = trajectory.num_epochs
    if not -count <= epoch < count:
        raise FastreidPruneError(f"el2n: no epoch {epoch}; the run has {count}, from 0 to {count - 1}.")
    epoch %= count
    values = trajectory.epochs.el2n
    result = values[epoch].astype(np.float64)
    for other in [*range(epoch - 1, -1, -1), *range(epoch + 1, count)]:
        result = np.where(np.isnan(result), values[other], result)
    return result
