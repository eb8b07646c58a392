"""The baseline every ranking has to beat."""

import numpy as np

from fastreid_prune.scores.registry import method
from fastreid_prune.trajectory.store import Trajectory


@method("random", source="baseline", direction="none: every order is equally likely", per_run=False)
def random(trajectory: Trajectory, seed: int = 0) -> np.ndarray:
    """A number in [0, 1) for each row ``[N]``, the same for the same ``seed`` and number of samples."""
    return np.random.default_rng(seed).random(trajectory.num_samples)
