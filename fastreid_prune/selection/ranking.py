"""The paper's plain ranking: the lowest scores of the whole set are dropped (Yang et al., TMLR 2024)."""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.selection.floors import last_of_groups


def select(
    scores: np.ndarray,
    ratio: float,
    *,
    file_names: Sequence[str] | np.ndarray | None = None,
    excluded: np.ndarray | None = None,
    pids: Sequence[str] | np.ndarray | None = None,
    keep_per_identity: int = 0,
    protected: np.ndarray | None = None,
) -> np.ndarray:
    """The samples that stay when the lowest-scored ones are pruned.

    ``ratio`` counts what is left: samples in ``excluded`` (outliers, unreadable images) are gone already,
    and of the M others floor(ratio * M) are pruned. Without ``excluded`` that is the paper's fraction of the
    whole training set.

    Args:
        scores: [N] float, higher = more worth keeping. Infinite values are ranked; NaN only where excluded.
        ratio: fraction to prune, in [0, 1).
        file_names: [N], breaks ties: of equal scores the name that sorts last is pruned first, so that the
            outcome does not depend on the order in which a file system lists the images. Without names the
            row order decides.
        excluded: [N] bool, samples that are removed already and do not count.
        pids: [N], identities (after relabelling), for ``keep_per_identity``.
        keep_per_identity: how many of the best-scored samples of each identity pruning never touches. 0 is
            the paper's method. Where the floor leaves too few candidates, fewer samples are pruned.
        protected: [N] bool, samples that pruning never touches, whatever they score; they count in the ratio.

    Returns:
        keep: [N] bool; False for pruned and for excluded samples.

    Raises:
        FastreidPruneError: a ratio outside [0, 1), a NaN score, arrays of different lengths, a floor without
            identities.

    Example:
        >>> select(np.array([0.1, 0.4, 0.2, 0.3]), 0.5).tolist()
        [False, True, False, True]
        >>> select(np.array([0.1, 0.4, 0.2, 0.3]), 0.5, pids=["p", "q", "q", "q"], keep_per_identity=1).tolist()
        [True, True, False, False]
    """
    scores = checked_scores(scores)
    total = len(scores)
    excluded = np.zeros(total, bool) if excluded is None else np.asarray(excluded)
    if excluded.shape != (total,) or excluded.dtype != bool:
        raise FastreidPruneError(
            f"excluded: expected {total} booleans, one a score, found {excluded.shape} of {excluded.dtype}."
        )
    unscored = np.flatnonzero(np.isnan(scores) & ~excluded)
    if len(unscored):
        raise FastreidPruneError(
            f"scores: {len(unscored)} of {total} are NaN, the first in row {unscored[0]}. Score every "
            "sample, or exclude those that cannot be scored."
        )
    count = pruned_count(int(total - excluded.sum()), ratio)
    candidates = ~excluded
    if protected is not None:
        candidates &= ~np.asarray(protected, bool)
    if keep_per_identity:
        candidates &= ~_best_of_identity(scores, file_names, excluded, pids, keep_per_identity)
    order = hardest_first(scores, file_names)
    easiest = order[::-1]
    easiest = easiest[candidates[easiest]]
    keep = ~excluded
    keep[easiest[:count]] = False
    return keep


def hardest_first(scores: np.ndarray, file_names: Sequence[str] | np.ndarray | None = None) -> np.ndarray:
    """Row numbers [N] int64 by falling score; NaN last; ties by file name where given, else by row.

    Example:
        >>> hardest_first(np.array([0.2, np.nan, 0.9])).tolist()
        [2, 0, 1]
    """
    scores = checked_scores(scores)
    if file_names is None:
        return np.argsort(-scores, kind="stable")
    if len(file_names) != len(scores):
        raise FastreidPruneError(f"file_names: expected {len(scores)}, one a score, found {len(file_names)}.")
    table = pa.table(
        {
            "score": pa.array(scores, pa.float64(), from_pandas=True),
            "file_name": pa.array(file_names, pa.string()),
        }
    )
    keys = [("score", "descending"), ("file_name", "ascending")]
    return pc.sort_indices(table, sort_keys=keys).to_numpy().astype(np.int64)


def pruned_count(samples: int, ratio: float) -> int:
    """floor(ratio * samples), taking the ratio as the decimal it is written as: 0.29 of 100 is 29, not 28.

    Raises:
        FastreidPruneError: a ratio outside [0, 1).

    Example:
        >>> pruned_count(100, 0.29)
        29
    """
    if isinstance(ratio, bool) or not isinstance(ratio, (int, float, np.floating)) or not 0 <= ratio < 1:
        raise FastreidPruneError(
            f"ratio: found {ratio!r}, expected the fraction to prune, in [0, 1): 0.3 prunes 30 %."
        )
    return math.floor(Fraction(str(ratio)) * samples)


def identities_lost(pids: Sequence[str] | np.ndarray, keep: np.ndarray) -> list[str]:
    """The identities of which no sample stays, sorted.

    Example:
        >>> identities_lost(["p", "p", "q"], np.array([True, False, False]))
        ['q']
    """
    pids = np.asarray(pids, dtype=object)
    return sorted(set(pids) - set(pids[np.asarray(keep, bool)]))


def _best_of_identity(
    scores: np.ndarray,
    file_names: Sequence[str] | np.ndarray | None,
    excluded: np.ndarray,
    pids: Sequence[str] | np.ndarray | None,
    count: int,
) -> np.ndarray:
    if pids is None or len(pids) != len(scores) or count < 0:
        raise FastreidPruneError(
            f"keep_per_identity={count}: expected a count of at least 0, and one of pids for each score."
        )
    best = np.zeros(len(scores), bool)
    easiest = hardest_first(scores, file_names)[::-1]
    labels = np.unique(np.asarray(pids, dtype=str), return_inverse=True)[1]
    best[last_of_groups(easiest[~excluded[easiest]], labels, count)] = True
    return best


def checked_scores(scores: np.ndarray) -> np.ndarray:
    """The scores as [N] float64.

    Raises:
        FastreidPruneError: not one number a sample.
    """
    array = np.asarray(scores)
    if array.ndim != 1 or array.dtype.kind not in "fiu":
        raise FastreidPruneError(
            f"scores: expected one number a sample, found shape {array.shape} of {array.dtype}."
        )
    return array.astype(np.float64)
