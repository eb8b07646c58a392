"""The features of a run, row by row as its score table has its samples."""

from dataclasses import dataclass

import numpy as np


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


# what gives the features of chosen rows
Features = np.ndarray | TableFeatures
