"""Entropy of the soft label: the method of this package."""

import numpy as np
import torch

from fastreid_prune.scores.registry import method
from fastreid_prune.trajectory.blocks import Rows, row_blocks
from fastreid_prune.trajectory.store import Trajectory

# blocks that stay in the processor's cache through the passes over them
_BLOCK_BYTES = 1 << 20


@method(
    "entropy",
    source="Yang et al., Data Pruning Can Do More, TMLR 2024, arXiv 2412.10091",
    direction="high: the model hesitates between many identities; low: easy and redundant",
)
def entropy(trajectory: Trajectory) -> np.ndarray:
    """H(softmax(mean logits)) in nats, ``[N]`` float64 in [0, ln C]."""
    return entropy_of_logits(trajectory.mean_logits)


def entropy_of_logits(logits: Rows) -> np.ndarray:
    """The entropy in nats of softmax of each row of ``logits`` ``[N, C]`` float32, read in blocks.

    With d = z - max z, e = exp(d) and r = the sum of e without the maximum's own 1:
    H = ln(1 + r) - sum(d e) / (1 + r), which keeps its digits where H is tiny, that is for the samples that are
    pruned first.

    Returns:
        ``[N]`` float64; NaN for rows with a NaN.
    """
    result = np.empty(logits.shape[0])
    for rows, block in row_blocks(logits, _BLOCK_BYTES):
        z = torch.from_numpy(np.require(block, requirements="W"))
        top, where = z.max(1, keepdim=True)
        d = z - top
        e = d.exp()
        weighted = (d * e).sum(1)
        rest = e.scatter_(1, where, 0).sum(1).double()
        result[rows] = torch.log1p(rest) - weighted.double() / (1 + rest)
    return result
