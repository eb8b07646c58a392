"""Keeping the easy samples: with little data, theory says that the hard ones go (Sorscher et al., NeurIPS 2022)."""

import numpy as np

from fastreid_prune.selection.pool import Pool
from fastreid_prune.selection.ranking import hardest_first
from fastreid_prune.selection.registry import Answer, Task, strategy


def easy_first(pool: Pool, ratio: float) -> np.ndarray:
    """The samples that stay, [N] bool, when the highest-scored ones are pruned.

    Args:
        pool: what there is to choose from.
        ratio: the fraction to prune, in [0, 1).

    Example:
        >>> from fastreid_prune.selection import Pool
        >>> names, pids = ["a", "b", "c", "d"], ["p", "p", "q", "q"]
        >>> pool = Pool(np.array([0.1, 0.2, 0.3, 0.4]), names, pids, ["c1"] * 4)
        >>> easy_first(pool, 0.5).tolist()
        [True, True, False, False]
    """
    return pool.without_first(hardest_first(pool.scores, pool.file_names), ratio)


@strategy(
    "easy_first",
    source="Sorscher et al., Beyond Neural Scaling Laws, NeurIPS 2022, arXiv 2206.14486",
    direction="the highest-scored go: for little data (Sorscher et al. 2022)",
)
def choose(task: Task) -> Answer:
    """See :func:`easy_first`."""
    return task.answer(easy_first(task.pool, task.ratio), f"among the highest {task.percent} by {task.score}")
