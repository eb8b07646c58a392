"""The choice that follows from how redundant the set is."""

from dataclasses import replace

import numpy as np

from fastreid_prune.selection.collapse import Collapse
from fastreid_prune.selection.partner_reasons import with_partners
from fastreid_prune.selection.pool import Pool
from fastreid_prune.selection.proportional import EVENLY, even_order
from fastreid_prune.selection.ranking import hardest_first
from fastreid_prune.selection.regime import Regime, is_near
from fastreid_prune.selection.registry import Answer, Task, strategy

# what identity-balanced sampling takes of an identity into a batch (fastreid's NUM_INSTANCE); fewer are repeated
FLOOR = 4
DOUBTED = "its label is among the most doubted"


@strategy(
    "auto",
    source="this package",
    direction="the most doubted, then near-duplicates; then the easiest where much is learnt, else an even thinning",
)
def choose(task: Task) -> Answer:
    """See :func:`automatic_order`; every identity keeps ``FLOOR`` samples at least."""
    pool = replace(task.pool, keep_per_identity=max(task.pool.keep_per_identity, FLOOR))
    keep = pool.without_first(
        automatic_order(pool, task.ratio, task.regime, task.collapsed, task.seed), task.ratio
    )
    evenly = task.regime.method(task.ratio) == "stratified"
    answer = task.answer(keep, EVENLY if evenly else f"low {task.score}, once near-duplicates are gone")
    if task.collapsed is not None and task.regime.known:
        answer = with_partners(task, answer, task.collapsed, all_pairs=False)
    if pool.doubted is not None:
        gone = pool.candidates & ~keep
        answer.reason[pool.doubted[gone[pool.doubted]]] = DOUBTED
    return answer


def automatic_order(
    pool: Pool, ratio: float, regime: Regime, collapsed: Collapse | None, seed: int
) -> np.ndarray:
    """Rows of the candidates, the first to go first.

    The labels in doubt go first, the most doubted before the others: wrong ones do harm. Then near-duplicates, the
    easiest of them before the others, whatever the regime: there is no set on which they are worth more than other
    images, and each
    leaves one behind that it is near to. What else must go is the easiest where so much is learnt, and else is thinned
    evenly over identities and cameras, so that nothing is lost that chance would not lose. A model that learnt too
    little to tell leaves near-duplicates to the even thinning too.

    Args:
        pool: what there is to choose from.
        ratio: the fraction to prune, in [0, 1).
        regime: of the pool.
        collapsed: its near-duplicates; None where the run kept no features.
        seed: of what chance decides.
    """
    left = pool.candidates
    doubted = np.zeros(0, np.int64) if pool.doubted is None else pool.doubted[left[pool.doubted]]
    left[doubted] = False
    copies = np.zeros(len(pool), bool)
    if collapsed is not None and regime.known:
        copies[collapsed.rows[is_near(collapsed, regime.spread or 0.0)]] = True
        copies &= left
    easiest = hardest_first(pool.scores, pool.file_names)[::-1]
    first = [doubted, easiest[copies[easiest]]]
    left &= ~copies
    if regime.method(ratio) == "stratified":
        return np.concatenate([*first, even_order(pool, np.flatnonzero(left), seed)])
    return np.concatenate([*first, easiest[left[easiest]]])
