"""An even thinning: every identity gives the same share in every camera, and chance decides within."""

import numpy as np

from fastreid_prune.selection.pool import Pool
from fastreid_prune.selection.registry import Answer, Task, strategy

EVENLY = "drawn by chance, evenly from every identity and camera"


def proportional(pool: Pool, ratio: float, *, seed: int = 0) -> np.ndarray:
    """The samples that stay, [N] bool: as at random, but no identity and no camera is hit harder than another.

    Args:
        pool: what there is to choose from; the scores do not matter.
        ratio: the fraction to prune, in [0, 1).
        seed: of the draw.

    Example:
        >>> from fastreid_prune.selection import Pool
        >>> names, pids = ["a", "b", "c", "d"], ["p", "p", "q", "q"]
        >>> pool = Pool(np.array([0.1, 0.2, 0.3, 0.4]), names, pids, ["c1"] * 4)
        >>> keep = proportional(pool, 0.5)
        >>> int(keep[:2].sum()), int(keep[2:].sum())
        (1, 1)
    """
    return pool.without_first(even_order(pool, np.flatnonzero(pool.candidates), seed), ratio)


def even_order(pool: Pool, rows: np.ndarray, seed: int) -> np.ndarray:
    """``rows`` in an order of which every beginning takes evenly of each identity, and of its cameras.

    Each sample has a place in [0, 1) within its identity, one every 1/n, the cameras taking turns; the order goes
    by place.
    """
    rng = np.random.default_rng(seed)
    # by name, so that the draw does not depend on the order in which a file system lists the images
    rows = rows[np.argsort(np.asarray(pool.file_names, dtype=str)[rows], kind="stable")]
    rows = rows[rng.permutation(len(rows))]
    labels, tracks = pool.labels[rows], pool.tracks[rows]
    within_track = _places(tracks, rng.random(int(tracks.max(initial=0)) + 1))
    order = np.argsort(within_track, kind="stable")
    offsets = rng.random(int(labels.max(initial=0)) + 1)
    place = np.empty(len(rows))
    place[order] = _places(labels[order], offsets)
    return rows[np.argsort(place, kind="stable")]


def _places(groups: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """In each group of n, in the order given, (k + offset) / n for k = 0 … n - 1; [N] float64 in [0, 1]."""
    by_group = np.argsort(groups, kind="stable")
    numbers = groups[by_group]
    sizes = np.bincount(groups, minlength=len(offsets))
    result = np.empty(len(groups))
    rank = np.arange(len(numbers)) - np.searchsorted(numbers, numbers)
    result[by_group] = (rank + offsets[numbers]) / sizes[numbers]
    return result


@strategy(
    "proportional",
    source="baseline: random, stratified by identity and camera",
    direction="every identity gives the same share in every camera, by chance",
)
def choose(task: Task) -> Answer:
    """See :func:`proportional`."""
    return task.answer(proportional(task.pool, task.ratio, seed=task.seed), EVENLY)
