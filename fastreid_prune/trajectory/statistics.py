"""What one batch of logits says about its samples: a pure function, on the logits' own device."""

from typing import NamedTuple

import torch
from torch import Tensor


class BatchStatistics(NamedTuple):
    """One value a sample of the batch, ``[B]`` each; the meanings are those of :class:`.records.Visits`."""

    predicted: Tensor
    given_logit: Tensor
    best_other_logit: Tensor
    loss: Tensor
    el2n: Tensor


def batch_statistics(logits: Tensor, labels: Tensor) -> BatchStatistics:
    """The statistics of ``logits`` ``[B, C]`` float32 (C >= 2) with given ``labels`` ``[B]`` int64.

    Nothing here waits for the device. A NaN or infinite logit makes the sample's loss NaN or infinite.

    Loss and EL2N keep their digits near zero, since easy samples differ only there: both are computed from
    the other classes' share e_j = exp(z_j - m), j != y, never as a difference of nearly equal numbers. With
    r = sum e_j, s = r + e_y:  loss = ln(s / e_y) = ln(1 + r / e_y),  EL2N^2 = (r/s)^2 + sum (e_j/s)^2.
    """
    column = labels.unsqueeze(1)
    given = logits.gather(1, column).squeeze(1)
    others = logits.scatter(1, column, float("-inf"))
    best_other, runner = others.max(1)
    wins = (given > best_other) | ((given == best_other) & (labels < runner))
    predicted = torch.where(wins, labels, runner)

    top = torch.maximum(given, best_other)
    exps = others.sub_(top.unsqueeze(1)).exp_()
    rest = exps.sum(1)
    own = (given - top).exp()
    total = rest + own
    # ln(1 + r/e_y) overflows where e_y underflows; there ln s + (top - given) has all its digits
    loss = torch.where(wins, torch.log1p(rest / own), total.log() + (top - given))
    el2n = (rest.square() + exps.square_().sum(1)).sqrt() / total
    # -inf for another class leaves no trace above
    return BatchStatistics(predicted, given, best_other, loss + 0 * logits.amin(1), el2n)
