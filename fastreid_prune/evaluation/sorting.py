"""Sorting float32 values with their columns, at the price of sorting float64.

A float32 has 24 significant bits and a float64 has 53: the columns go into bits that the values leave empty. Sorted
rows then tell how many of their values lie above a threshold, and which are too close to it for float32 to tell.
"""

import numpy as np
import torch

LOWEST = float(np.finfo(np.float32).min)  # of what is not to be counted: infinity has no empty bits
EMPTY = (1 << 29) - 1  # the bits of a float64 that no float32 fills


def with_columns(values: np.ndarray) -> np.ndarray:
    """[R, W] float64, ``values`` [R, W] float32 with their columns in the lowest bits."""
    marked = values.astype(np.float64)
    bits = marked.view(np.int64)
    bits |= np.arange(values.shape[1])
    return marked


def columns_of(marked: np.ndarray) -> np.ndarray:
    """The columns [n] int64 that :func:`with_columns` wrote."""
    return marked.view(np.int64) & EMPTY


def places(
    ranked: np.ndarray, owner: np.ndarray, threshold: np.ndarray, error: float
) -> tuple[np.ndarray, np.ndarray]:
    """Where in sorted rows the values begin and end that are within ``error`` of thresholds.

    Args:
        ranked: [R, W] float64, rows ascending.
        owner: [T] int64, ascending, the row of each threshold.
        threshold: [T] float64.
        error: at least 0; a value's mark is far below it.

    Returns:
        begin [T] and end [T] int64: values from ``end`` on are above the threshold, those before ``begin`` below.
    """
    count = np.bincount(owner, minlength=len(ranked))
    place = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    most = int(count.max(initial=0))
    padded = np.full((len(ranked), 2, most), np.inf)
    padded[owner, 0, place] = threshold - error
    padded[owner, 1, place] = threshold + error
    found = torch.searchsorted(
        torch.from_numpy(ranked), torch.from_numpy(padded.reshape(len(ranked), 2 * most))
    ).numpy()
    return found[owner, place], found[owner, most + place]
