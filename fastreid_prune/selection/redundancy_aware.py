"""Redundancy-aware selection: near-duplicates go first, and importance says which of a pair."""

import numpy as np

from fastreid_prune.selection.partner_reasons import with_partners
from fastreid_prune.selection.pool import Pool
from fastreid_prune.selection.redundancy import collapse_pool, collapsed_first
from fastreid_prune.selection.registry import Answer, Task, strategy


def redundancy_aware(pool: Pool, ratio: float) -> np.ndarray:
    """The samples that stay, [N] bool, when the closest pair of an identity loses its less important one, in turn.

    Args:
        pool: what there is to choose from, with features.
        ratio: the fraction to prune, in [0, 1).

    Raises:
        FastreidPruneError: the run kept no features.

    Example:
        >>> from fastreid_prune.selection import Pool
        >>> close = np.array([[1.0, 0.0], [1.0, 0.01], [0.0, 1.0], [1.0, 1.0]], np.float32)
        >>> pool = Pool(np.array([0.1, 0.2, 0.3, 0.4]), ["a", "b", "c", "d"], ["p"] * 4, ["c1"] * 4, features=close)
        >>> redundancy_aware(pool, 0.25).tolist()
        [False, True, True, True]
    """
    return pool.without_first(collapsed_first(pool, collapse_pool(pool)), ratio)


@strategy(
    "redundancy_aware",
    source="this package",
    direction="the closest pair of an identity loses its lower-scored image, in turn",
)
def choose(task: Task) -> Answer:
    """See :func:`redundancy_aware`."""
    collapsed = collapse_pool(task.pool) if task.collapsed is None else task.collapsed
    keep = task.pool.without_first(collapsed_first(task.pool, collapsed), task.ratio)
    answer = task.answer(keep, f"low {task.score}, nothing left of its identity to be near to")
    return with_partners(task, answer, collapsed, all_pairs=True)
