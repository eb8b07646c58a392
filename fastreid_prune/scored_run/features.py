"""The features of a run, row by row as its score table has its samples."""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.scored_run.injected import InjectedErrors
from fastreid_prune.trajectory import Trajectory


@dataclass(frozen=True, eq=False)
class TableFeatures:
    """[N, D] float32 in the table's order, read when asked for; NaN where a sample has none.

    Attributes:
        features: [M, D] of the trajectory, memory-mapped or not.
        rows: [N] int64, the trajectory's row of each sample; -1 where there is none.
    """

    features: np.ndarray
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, places: np.ndarray) -> np.ndarray:
        rows = self.rows[places]
        found = np.array(self.features[np.maximum(rows, 0)], np.float32)
        found[rows < 0] = np.nan
        return found


def table_features(trajectory: Trajectory | None, count: int) -> TableFeatures | None:
    """The features of a table's samples; None where the run kept none.

    Args:
        trajectory: of the run; None where only the scores are left.
        count: samples in the table: those of the data set, then images that could not be read.
    """
    if trajectory is None or trajectory.features is None:
        return None
    rows = np.full(count, -1)
    own = np.flatnonzero(InjectedErrors.of(trajectory).dataset_rows)
    rows[: len(own)] = own
    return TableFeatures(trajectory.features, rows)
