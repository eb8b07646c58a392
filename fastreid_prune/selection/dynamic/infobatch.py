"""What is learnt better than average is thinned at random, and what stays of it counts for more."""

import numpy as np

from fastreid_prune.selection.dynamic.registry import EpochChoice, dynamic


@dynamic(
    "infobatch",
    source="Qin et al., InfoBatch: Lossless Training Speed Up by Unbiased Dynamic Data Pruning, ICLR 2024, "
    "arXiv 2303.04947",
    on_all=0.125,
)
def infobatch(loss: np.ndarray, ratio: float, random: np.random.Generator) -> EpochChoice:
    """Prune the fraction ``ratio`` of the samples whose last loss is below the mean, and scale up the rest of them.

    The expected gradient is that of training on everything: of the samples below the mean a share ``1 - ratio`` stays,
    with its gradient multiplied by ``1 / (1 - ratio)``. So of the whole set about half of ``ratio`` goes. Samples not
    seen yet count as above the mean; the authors give them one high loss.

    Args:
        loss: ``[N]`` each sample's loss at its last visit, NaN if there was none.
        ratio: the share that goes of what is below the mean, in [0, 1); the authors use 0.5.
        random: draws who goes.

    >>> choice = infobatch(np.array([0.0, 0.1, 0.2, 0.3, 5.0, np.nan]), 0.5, np.random.default_rng(0))
    >>> len(choice.rows), choice.weight.tolist().count(2.0)
    (4, 2)
    """
    known = ~np.isnan(loss)
    mean = loss[known].mean() if known.any() else -np.inf
    below = np.flatnonzero(known & (np.nan_to_num(loss, nan=np.inf) < mean))
    stays = random.choice(below, int((1 - ratio) * len(below)), replace=False)
    keep = np.ones(len(loss), dtype=bool)
    keep[below] = False
    keep[stays] = True
    weight = np.ones(len(loss), dtype=np.float32)
    weight[stays] = 1 / (1 - ratio)
    return EpochChoice(np.flatnonzero(keep), weight)
