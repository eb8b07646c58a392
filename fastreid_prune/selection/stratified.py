"""Coverage-centric selection: every stratum of importance is represented (Zheng et al., ICLR 2023).

Beyond some ratio keeping only the hardest leaves whole regions of the data without a sample. Here the range of the
scores is cut into strata of equal width, and the budget is spent on them evenly: a stratum that has fewer samples
than its share stays whole, and what it leaves is shared among the others.
"""

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.selection.pool import Pool
from fastreid_prune.selection.ranking import pruned_count
from fastreid_prune.selection.registry import Answer, Task, strategy

STRATA = 50


def stratified(
    pool: Pool, ratio: float, *, seed: int = 0, strata: int = STRATA, hardest_dropped: float = 0.0
) -> np.ndarray:
    """The samples that stay, [N] bool.

    Args:
        pool: what there is to choose from.
        ratio: the fraction to prune, in [0, 1).
        seed: of the draw within a stratum.
        strata: into how many parts of equal width the range of the scores is cut (the paper: 50).
        hardest_dropped: the share of the samples, the hardest, that are pruned before anything else: the paper's
            β, for sets with wrong labels and at high ratios. At most ``ratio``.

    Raises:
        FastreidPruneError: a ratio or a share that cannot be.

    Example:
        >>> from fastreid_prune.selection import Pool
        >>> names, pids = ["a", "b", "c", "d"], ["p", "p", "q", "q"]
        >>> pool = Pool(np.array([0.1, 0.2, 0.3, 0.4]), names, pids, ["c1"] * 4)
        >>> int(stratified(pool, 0.5, strata=2).sum())
        2
    """
    if not 0 <= hardest_dropped <= ratio or strata < 1:
        raise FastreidPruneError(
            f"stratified: hardest_dropped={hardest_dropped} and strata={strata} found, a share between 0 and the ratio "
            f"({ratio}) and at least 1 stratum expected."
        )
    order = removal_order(pool, ratio, seed, strata, hardest_dropped)
    return pool.without_first(order, ratio)


def removal_order(pool: Pool, ratio: float, seed: int, strata: int, hardest_dropped: float) -> np.ndarray:
    """Rows [M] of the candidates: those over a stratum's share first, then those that would stay, shuffled alike.

    The second part is reached only where floors or protected samples stand in the way of the first.
    """
    rows = np.flatnonzero(pool.candidates)
    rng = np.random.default_rng(seed)
    # by name, so that the draw does not depend on the order in which a file system lists the images
    rows = rows[np.argsort(np.asarray(pool.file_names, dtype=str)[rows], kind="stable")]
    rows = rows[rng.permutation(len(rows))]
    scores = np.asarray(pool.scores, np.float64)[rows]
    hardest = np.argsort(-scores, kind="stable")[: pruned_count(len(rows), hardest_dropped)]
    left = np.ones(len(rows), bool)
    left[hardest] = False
    stays = np.zeros(len(rows), bool)
    places = np.flatnonzero(left)
    budget = len(rows) - pruned_count(len(rows), ratio)
    stratum = _strata(scores[places], strata)
    shares = spread(np.bincount(stratum, minlength=strata), budget)
    by_stratum = np.argsort(stratum, kind="stable")
    numbers = stratum[by_stratum]
    place = np.arange(len(numbers)) - np.searchsorted(numbers, numbers)
    stays[places[by_stratum[place < shares[numbers]]]] = True
    return np.concatenate([rows[hardest], rows[left & ~stays], rows[stays]])


def spread(sizes: np.ndarray, budget: int) -> np.ndarray:
    """How many to take of each stratum, [S] int64, so that the shares are as even as the sizes allow.

    Args:
        sizes: [S] int64, samples in each.
        budget: how many in all; at most the sum of the sizes.
    """
    shares = np.zeros(len(sizes), np.int64)
    left = int(budget)
    # the smallest first: what they cannot use goes to the larger ones
    for done, stratum in enumerate(np.argsort(sizes, kind="stable")):
        shares[stratum] = min(int(sizes[stratum]), left // (len(sizes) - done))
        left -= int(shares[stratum])
    return shares


def _strata(scores: np.ndarray, strata: int) -> np.ndarray:
    """The stratum of each score, [n] int64; infinite scores are in the outermost."""
    finite = scores[np.isfinite(scores)]
    if not len(finite) or finite.max() == finite.min():
        return np.zeros(len(scores), np.int64)
    low, high = finite.min(), finite.max()
    place = (np.clip(scores, low, high) - low) / (high - low) * strata
    return np.minimum(place.astype(np.int64), strata - 1)


@strategy(
    "stratified",
    source="Zheng et al., Coverage-Centric Coreset Selection, ICLR 2023, arXiv 2210.15809",
    direction="every stratum of the score gives its share (coverage-centric, Zheng et al. 2023)",
)
def choose(task: Task) -> Answer:
    """See :func:`stratified`."""
    keep = stratified(task.pool, task.ratio, seed=task.seed)
    return task.answer(keep, f"its stratum of {task.score} has enough others")
