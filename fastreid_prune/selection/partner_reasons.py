"""Reasons for near-duplicates that went: whose copies they are."""

from fastreid_prune.selection.collapse import Collapse
from fastreid_prune.selection.regime import is_near
from fastreid_prune.selection.registry import Answer, Task


def with_partners(task: Task, answer: Answer, collapsed: Collapse, *, all_pairs: bool) -> Answer:
    """The answer, in which near-duplicates that went name the sample that they are near to.

    Args:
        task: what was asked.
        answer: what was chosen.
        collapsed: the near-duplicates and their partners.
        all_pairs: name the partners of all that collapsed, near or not.
    """
    pool, reason = task.pool, answer.reason.copy()
    gone = pool.candidates & ~answer.keep
    near = is_near(collapsed, task.regime.spread or 0.0)
    for row, partner, similarity, copy in zip(
        collapsed.rows.tolist(), collapsed.partner.tolist(), collapsed.similarity.tolist(), near, strict=True
    ):
        if gone[row] and (copy or all_pairs):
            name = str(pool.file_names[partner]).rsplit("/", 1)[-1]
            what = "near-duplicate of" if copy else "closest to"
            reason[row] = f"{what} {name} (similarity {similarity:.2f}), which has the higher {task.score}"
    return Answer(answer.keep, reason)
