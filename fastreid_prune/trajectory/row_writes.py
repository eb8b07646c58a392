"""The two ways in which a batch is written into rows: the sum of all visits, or the last of them."""

import torch
from torch import Tensor


def last_occurrences(sample_index: Tensor) -> Tensor:
    """For each position of ``sample_index`` ``[B]``, the last position ``[B]`` with the same sample.

    >>> last_occurrences(torch.tensor([7, 3, 7]))
    tensor([2, 1, 2])
    """
    if not len(sample_index):
        return sample_index
    same = sample_index.unsqueeze(0) == sample_index.unsqueeze(1)
    return (same * torch.arange(len(sample_index), device=same.device)).amax(1)


def keep_last(rows: Tensor, sample_index: Tensor, values: Tensor) -> None:
    """Write ``values`` ``[B, D]`` to ``rows`` ``[N, D]`` at ``sample_index`` ``[B]``, in place.

    All writes to one row carry the same value, so that their order, which a GPU leaves open, is no matter.
    """
    rows.index_copy_(0, sample_index, values[last_occurrences(sample_index)])


def add_all(rows: Tensor, sample_index: Tensor, values: Tensor) -> None:
    """Add ``values`` ``[B, D]`` to ``rows`` ``[N, D]`` at ``sample_index`` ``[B]``, in place, twice where twice."""
    rows.index_add_(0, sample_index, values)
