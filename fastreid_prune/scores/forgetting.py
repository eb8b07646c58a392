"""How often a sample was learnt and lost again."""

import numpy as np

from fastreid_prune.scores.registry import method
from fastreid_prune.trajectory.store import Trajectory


@method(
    "forgetting",
    source="Toneva et al., An Empirical Study of Example Forgetting, ICLR 2019, arXiv 1812.05159",
    direction="often learnt and forgotten, or never learnt at all",
)
def forgetting(trajectory: Trajectory) -> np.ndarray:
    """The number of forgetting events ``[N]``; samples never learnt come out one above the highest number.

    An event is a visit that gets the sample wrong right after a visit that got it right, within an epoch or
    across epochs. (The paper gives samples never learnt infinitely many; one more than any other ranks them
    the same.) Whole numbers, so many samples share one.

    Example:
        >>> import torch
        >>> from fastreid_prune.trajectory import LogitRecorder
        >>> recorder = LogitRecorder(2, 2)
        >>> recorder.update(torch.arange(2), torch.tensor([[9.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 1]))
        >>> recorder.end_epoch()
        >>> forgetting(recorder.trajectory()).tolist()
        [0.0, 1.0]
    """
    records = trajectory.epochs
    seen = records.visits.sum(0) > 0
    learnt = records.correct.sum(0) > 0
    events = records.forgotten.sum(0)
    return np.where(seen, np.where(learnt, events, events.max(initial=0) + 1.0), np.nan)
