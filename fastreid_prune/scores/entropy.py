"""Entropy of the soft label: the method of this package."""

import numpy as np

from fastreid_prune.scores.factored_entropy import entropy_of_factors
from fastreid_prune.scores.registry import method
from fastreid_prune.scores.top_classes import too_many, top_classes
from fastreid_prune.trajectory.blocks import Rows, row_blocks
from fastreid_prune.trajectory.factors import FactoredLogits
from fastreid_prune.trajectory.store import Trajectory

# blocks that stay in the processor's cache through the passes over them
_BLOCK_BYTES = 1 << 19


@method(
    "entropy",
    source="Yang et al., Data Pruning Can Do More, TMLR 2024, arXiv 2412.10091",
    direction="the model hesitates between many identities; low: easy and redundant",
    per_run=False,
)
def entropy(trajectory: Trajectory, device: str = "cpu") -> np.ndarray:
    """H(softmax(mean logits)) in nats, ``[N]`` in [0, ln C].

    Of several merged runs it is the entropy of the ensemble: the mean logits of all. ``device`` is where logits kept
    as features and weights are multiplied out; stored logits are read from disk and scored on the CPU. Beyond
    :data:`.top_classes.EXACT_LOGITS` of the former it is estimated, and :mod:`.top_classes` says how well.

    Example:
        >>> import torch
        >>> from fastreid_prune.trajectory import LogitRecorder
        >>> recorder = LogitRecorder(2, 2)
        >>> recorder.update(torch.arange(2), torch.tensor([[9.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 1]))
        >>> recorder.end_epoch()
        >>> entropy(recorder.trajectory()).round(3).tolist()
        [0.001, 0.582]
    """
    logits = trajectory.mean_logits
    if isinstance(logits, FactoredLogits):
        if too_many(logits):
            return top_classes(trajectory).entropy
        return entropy_of_factors(logits.to(device))
    return entropy_of_logits(logits)


def entropy_of_logits(logits: Rows) -> np.ndarray:
    """The entropy in nats of the softmax of each row of ``logits`` ``[N, C]`` float32, read in blocks.

    With d = z - max z, e = exp(d) and r the sum of e without the maximum's own 1:
    H = ln(1 + r) - sum(d e) / (1 + r). It keeps its digits where H is tiny: for the samples that are pruned first.

    Returns:
        ``[N]`` float64; NaN for rows with a NaN.
    """
    result = np.empty(logits.shape[0])
    for rows, z in row_blocks(logits, _BLOCK_BYTES):
        d = z - z.max(axis=1, keepdims=True)
        e = np.exp(d)
        weighted = np.einsum("nc,nc->n", d, e)
        # the maxima are exactly 1 each; they are summed apart, so that a tiny rest keeps its digits
        total = e.sum(axis=1)
        e[d == 0] = 0
        below = e.sum(axis=1)
        rest = below.astype(np.float64) + (np.round(total - below).astype(np.float64) - 1)
        result[rows] = np.log1p(rest) - weighted / (1 + rest)
    return result
