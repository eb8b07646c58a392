"""How alike the methods rank, and what stands at the top of each ranking."""

from collections.abc import Sequence

import numpy as np


def rank_correlations(scores: Sequence[np.ndarray]) -> np.ndarray:
    """Spearman's correlation between all pairs of ``M`` scores ``[N]``, as ``[M, M]`` in [-1, 1].

    Samples that share a score share the mean of their ranks. Samples with a NaN in any score are left out.
    """
    columns = np.stack(scores)
    columns = columns[:, ~np.isnan(columns).any(axis=0)]
    return np.atleast_2d(np.corrcoef([_mean_ranks(column) for column in columns]))


def found_among_hardest(scores: np.ndarray, wanted: np.ndarray, share: float = 0.1) -> float:
    """How many samples of ``wanted`` ``[N]`` bool are in the ``share`` of samples with the highest scores ``[N]``.

    Where a score is shared across the cut, the count expected from any order among those samples. NaN ranks last.
    """
    scores = np.where(np.isnan(scores), -np.inf, scores)
    count = round(share * len(scores))
    if count == 0:
        return 0.0
    cut = np.sort(scores)[-count]
    above, at = scores > cut, scores == cut
    return float(wanted[above].sum() + wanted[at].mean() * (count - above.sum()))


def _mean_ranks(values: np.ndarray) -> np.ndarray:
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[group]
