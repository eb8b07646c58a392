"""The entropy of mean logits that are kept as features and weights, on any device."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from fastreid_prune.trajectory.factors import FactoredLogits


def entropy_of_factors(logits: FactoredLogits) -> np.ndarray:
    """As :func:`.entropy.entropy_of_logits`, a tile of rows and classes at a time, on the logits' device.

    Returns:
        ``[N]`` float64 in nats; NaN for rows never visited.
    """
    result = np.empty(logits.shape[0])
    for rows, tiles in logits.row_tiles():
        result[rows] = entropy_of_tiles(tiles)
    return result


def entropy_of_tiles(tiles: Iterable[Tensor]) -> np.ndarray:
    """The entropy ``[n]`` float64 in nats of rows whose logits come as tiles ``[n, c]``, side by side ``[n, C]``."""
    rest, weighted = _moments(tiles)
    return (torch.log1p(rest) - weighted / (1 + rest)).cpu().numpy()


def _moments(tiles: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """r and sum(d e), ``[n]`` float64 each, of rows given as tiles ``[n, c]`` of their classes."""
    found: tuple[Tensor, Tensor, Tensor] | None = None
    for z in tiles:
        new_top, new_rest, new_weighted = _tile_moments(z)
        if found is None:
            found = new_top, new_rest, new_weighted
            continue
        top, rest, weighted = found
        # what is measured from the lower maximum is moved to the higher one; nothing cancels on the way
        swap = new_top > top
        low, low_rest, low_weighted = _choose(swap, (top, rest, weighted), (new_top, new_rest, new_weighted))
        top, rest, weighted = _choose(swap, (new_top, new_rest, new_weighted), (top, rest, weighted))
        gap = low - top
        rest = rest + gap.exp() * (1 + low_rest)
        found = top, rest, weighted + gap.exp() * (low_weighted + gap * (1 + low_rest))
    if found is None:
        raise ValueError("no classes")
    return found[1], found[2]


def _tile_moments(z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """max z, r and sum(d e), ``[n]`` float64 each, of one tile ``[n, c]`` float32."""
    top = z.amax(1, keepdim=True)
    d = z - top
    e = d.exp()
    weighted = (d * e).sum(1)
    total = e.sum(1)
    below = e.masked_fill_(d == 0, 0).sum(1)
    rest = below.double() + ((total - below).round().double() - 1)
    return top.squeeze(1).double(), rest, weighted.double()


def _choose(where: Tensor, yes: tuple[Tensor, ...], no: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(torch.where(where, a, b) for a, b in zip(yes, no, strict=True))
