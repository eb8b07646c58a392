"""The area under the margin, negated."""

import numpy as np

from fastreid_prune.scores.registry import method
from fastreid_prune.trajectory.store import Trajectory


@method(
    "aum",
    source="Pleiss et al., Identifying Mislabeled Data using the Area Under the Margin Ranking, "
    "NeurIPS 2020, arXiv 2001.10528",
    direction="another class was preferred to the given one (the AUM, with its sign turned)",
)
def aum(trajectory: Trajectory) -> np.ndarray:
    """Minus the mean over all visits of (logit of the given class - highest other logit), ``[N]``.

    Beware: the highest scores are where wrong labels are.

    Example:
        >>> import torch
        >>> from fastreid_prune.trajectory import LogitRecorder
        >>> recorder = LogitRecorder(2, 2)
        >>> recorder.update(torch.arange(2), torch.tensor([[9.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 1]))
        >>> recorder.end_epoch()
        >>> aum(recorder.trajectory()).tolist()
        [-9.0, 1.0]
    """
    records = trajectory.epochs
    return -records.mean_over_visits(records.given_logit - records.best_other_logit)
