"""The choice that follows from how redundant the set is."""

import numpy as np

from fastreid_prune.selection.near_copies import Collapse
from fastreid_prune.selection.pool import Pool
from fastreid_prune.selection.proportional import even_order
from fastreid_prune.selection.ranking import hardest_first
from fastreid_prune.selection.regime import Regime, is_near

# what identity-balanced sampling takes of an identity into a batch (fastreid's NUM_INSTANCE); fewer are repeated
FLOOR = 4


def automatic_order(
    pool: Pool, ratio: float, regime: Regime, collapsed: Collapse | None, seed: int
) -> np.ndarray:
    """Rows of the candidates, the first to go first.

    What the verdicts call mislabelled or an outlier goes first: it does harm. Then near-copies, the easiest of them
    before the others, whatever the regime: there is no set on which they are worth more than other images, and each
    leaves one behind that it is near to. What else must go is the easiest where so much is learnt, and else is thinned
    evenly over identities and cameras, so that nothing is lost that chance would not lose. A model that learnt too
    little to tell leaves near-copies to the even thinning too.

    Args:
        pool: what there is to choose from.
        ratio: the fraction to prune, in [0, 1).
        regime: of the pool.
        collapsed: its near-copies; None where the run kept no features.
        seed: of what chance decides.
    """
    left = pool.candidates
    doubted = np.zeros(len(pool), bool) if pool.doubted is None else left & pool.doubted
    left &= ~doubted
    copies = np.zeros(len(pool), bool)
    if collapsed is not None and regime.known:
        copies[collapsed.rows[is_near(collapsed, regime.spread)]] = True
        copies &= left
    easiest = hardest_first(pool.scores, pool.file_names)[::-1]
    # the doubted by falling score, so that no order of the files decides where not all of them go
    first = [easiest[doubted[easiest]][::-1], easiest[copies[easiest]]]
    left &= ~copies
    if regime.method(ratio) == "stratified":
        return np.concatenate([*first, even_order(pool, np.flatnonzero(left), seed)])
    return np.concatenate([*first, easiest[left[easiest]]])
