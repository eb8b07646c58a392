"""Floors: no identity, and no identity in a camera, loses its last images to pruning."""

import numpy as np


def last_of_groups(
    order: np.ndarray, groups: np.ndarray, floor: int, safe: np.ndarray | None = None
) -> np.ndarray:
    """The rows that must stay so that ``floor`` samples of each group do.

    Of each group, those that would go last. Samples that are safe anyway count: a group that has enough of
    them needs no more.

    Args:
        order: [M] int64, rows, the first to go first.
        groups: [N] int64, the group of each row, numbered from 0.
        floor: how many, at least 1. Groups of fewer samples stay whole.
        safe: [N] bool, rows that stay whatever this returns.

    Returns:
        Rows, int64, in no particular order.
    """
    last_first = np.asarray(order, np.int64)[::-1]
    if safe is not None:
        # a stable sort: safe ones of a group are counted first
        last_first = last_first[np.argsort(~safe[last_first], kind="stable")]
    by_group = np.argsort(groups[last_first], kind="stable")
    numbers = groups[last_first][by_group]
    place = np.arange(len(numbers)) - np.searchsorted(numbers, numbers)
    return last_first[by_group[place < floor]]
