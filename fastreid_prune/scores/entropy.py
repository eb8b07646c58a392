"""Entropy of the soft label: the method of this package."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor

from fastreid_prune.scores.registry import method
from fastreid_prune.trajectory.blocks import Rows, row_blocks
from fastreid_prune.trajectory.factors import FactoredLogits
from fastreid_prune.trajectory.store import Trajectory

# blocks that stay in the processor's cache through the passes over them
_BLOCK_BYTES = 1 << 20


@method(
    "entropy",
    source="Yang et al., Data Pruning Can Do More, TMLR 2024, arXiv 2412.10091",
    direction="the model hesitates between many identities; low: easy and redundant",
    per_run=False,
)
def entropy(trajectory: Trajectory, device: str = "cpu") -> np.ndarray:
    """H(softmax(mean logits)) in nats, ``[N]`` in [0, ln C].

    Of several merged runs it is the entropy of the ensemble: the mean logits of all. ``device`` is where
    logits kept as factors are multiplied out; stored logits are read from disk and scored on the CPU.
    """
    logits = trajectory.mean_logits
    return entropy_of_logits(logits.to(device) if isinstance(logits, FactoredLogits) else logits)


def entropy_of_logits(logits: Rows) -> np.ndarray:
    """The entropy in nats of the softmax of each row of ``logits`` ``[N, C]``, read in blocks.

    With d = z - max z, e = exp(d) and r the sum of e without the maximum's own 1:
    H = ln(1 + r) - sum(d e) / (1 + r). It keeps its digits where H is tiny: for the samples that are pruned
    first.

    Returns:
        ``[N]`` float64; NaN for rows with a NaN.
    """
    result = np.empty(logits.shape[0])
    for rows, tiles in _tiles(logits):
        rest, weighted = _moments(tiles)
        result[rows] = (torch.log1p(rest) - weighted / (1 + rest)).cpu()
    return result


def _tiles(logits: Rows) -> Iterator[tuple[slice, Iterable[Tensor]]]:
    if isinstance(logits, FactoredLogits):
        yield from logits.row_tiles()
    else:
        for rows, block in row_blocks(logits, _BLOCK_BYTES):
            yield rows, [torch.from_numpy(np.require(block, requirements=["C", "W"]))]


def _moments(tiles: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """r and sum(d e), ``[n]`` float64 each, of rows given as tiles ``[n, c]`` of their classes."""
    top = rest = weighted = None
    for z in tiles:
        tile_top, where = z.max(1, keepdim=True)
        d = z - tile_top
        e = d.exp()
        tile_weighted = (d * e).sum(1).double()
        tile_rest = e.scatter_(1, where, 0).sum(1).double()
        tile_top = tile_top.squeeze(1).double()
        if top is None:
            top, rest, weighted = tile_top, tile_rest, tile_weighted
            continue
        # the tile with the lower maximum is expressed from the higher one; only non-negative numbers are
        # added
        higher = tile_top > top
        low = torch.minimum(top, tile_top) - torch.maximum(top, tile_top)
        scale = low.exp()
        low_rest, low_weighted = (
            torch.where(higher, rest, tile_rest),
            torch.where(higher, weighted, tile_weighted),
        )
        high_rest, high_weighted = (
            torch.where(higher, tile_rest, rest),
            torch.where(higher, tile_weighted, weighted),
        )
        weighted = high_weighted + scale * (low_weighted + low * (1 + low_rest))
        rest = high_rest + scale * (1 + low_rest)
        top = torch.maximum(top, tile_top)
    return rest, weighted
