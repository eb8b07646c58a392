"""Keeping the hard samples: the paper's plain ranking by one score (Yang et al., TMLR 2024)."""

from fastreid_prune.selection.ranking import hardest_first
from fastreid_prune.selection.registry import Answer, Task, strategy


@strategy(
    "hardest_first",
    source="Yang et al., Data Pruning Can Do More, TMLR 2024, arXiv 2412.10091",
    direction="the lowest-scored go: the paper's plain ranking",
)
def choose(task: Task) -> Answer:
    """Of equal scores the name that sorts last goes first."""
    easiest = hardest_first(task.pool.scores, task.pool.file_names)[::-1]
    keep = task.pool.without_first(easiest, task.ratio)
    return task.answer(keep, f"among the lowest {task.percent} by {task.score}")
