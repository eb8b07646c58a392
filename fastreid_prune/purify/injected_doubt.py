"""Doubt about samples that the scoring run gave a wrong label: is the one that the data set gives them right?

They are drawn at random, so about as large a share of them is wrong as of the others. No verdict is given on them, for
what the model learned about them is another thing than about the rest: right ones are doubted more often. But wrong
ones are doubted most, since the model never learned their wrong label by heart.
"""

import numpy as np


def most_doubted(doubt: np.ndarray, rows: np.ndarray, share: float, least: float) -> np.ndarray:
    """The most doubted of some samples, no more than are wrong by estimate.

    Args:
        doubt: [N] float64, of the label that the data set gives, higher = more doubtful.
        rows: [N] bool, the samples to choose among, all treated alike in the scoring run.
        share: of the labels that are wrong, in [0, 1].
        least: the doubt from which on others are left out.

    Returns:
        [N] bool; the share is rounded down, so that a set with hardly any errors loses none.

    >>> most_doubted(np.array([9.0, 1.0, 3.0, 2.0, 5.0]), np.array([False, True, True, True, True]), 0.5, 4.0).tolist()
    [False, False, False, False, True]
    """
    chosen = np.flatnonzero(rows)
    first = chosen[np.argsort(-doubt[chosen], kind="stable")][: int(share * len(chosen))]
    result = np.zeros(len(doubt), bool)
    result[first[doubt[first] >= least]] = True
    return result
