"""How many values of a row exceed each threshold, for many rows and thresholds at once, without a sort."""

from typing import NamedTuple

import numpy as np

BINS = 1024  # a row
SLACK = 0.05  # more than rounding can move a value, in bins


class Counts(NamedTuple):
    """What float32 can tell. Of the values [R, W], flattened, and the thresholds [T]:

    Attributes:
        above: [T] int64, how many values lie above each threshold for sure.
        unsure_threshold: [U] int64, pairs that float32 cannot decide: the threshold ...
        unsure_value: [U] int64, ... and the position of the value in the flattened array.
    """

    above: np.ndarray
    unsure_threshold: np.ndarray
    unsure_value: np.ndarray


def count_above(
    values: np.ndarray, owner: np.ndarray, threshold: np.ndarray, error: float, most_unsure: int
) -> Counts | None:
    """Count the values of each threshold's row that lie above it.

    Values are put into bins, whose cumulative counts decide all but the values in the bins around a
    threshold; those are compared one by one. Values below all thresholds of their row are never looked at
    again. The cost does not depend on the number of thresholds or on how many values each has above it.

    Args:
        values: [R, W] float32; ``-inf`` never counts.
        owner: [T] int64, ascending, the row of each threshold.
        threshold: [T] float64.
        error: how far a value can be from the truth; at least 2^-20 of the largest threshold.
        most_unsure: give up, with None, when more than so many values lie around thresholds.
    """
    num_rows, width = values.shape
    above = np.zeros(len(threshold), dtype=np.int64)
    nothing = Counts(above, above[:0], above[:0])
    if not len(threshold):
        return nothing
    low, scale = _scales(num_rows, owner, threshold, error)
    flat = np.flatnonzero(values >= low[:, None])
    if not len(flat):
        return nothing
    kept = values.ravel()[flat]
    bins = _bins(kept, np.diff(np.searchsorted(flat, np.arange(num_rows + 1) * width)), low, scale)
    up_to = np.concatenate([[0], np.cumsum(np.bincount(bins, minlength=num_rows * BINS))])
    place = (threshold - low[owner]) * scale[owner].astype(np.float64) + owner * BINS + 1
    reach = error * scale[owner] + SLACK
    begin, end = np.floor(place - reach).astype(np.int64), np.floor(place + reach).astype(np.int64) + 1
    above += up_to[(owner + 1) * BINS] - up_to[end]
    around = up_to[end] - up_to[begin]
    if around.sum() > most_unsure:
        return None
    busy = np.flatnonzero(around)
    if not len(busy):
        return nothing
    marks = np.bincount(begin[busy], minlength=len(up_to)) - np.bincount(end[busy], minlength=len(up_to))
    close = np.flatnonzero((np.cumsum(marks) > 0)[bins])
    close = close[np.argsort(bins[close], kind="stable")]
    count = around[busy]
    start = np.searchsorted(bins[close], begin[busy])
    value = close[np.arange(count.sum()) + np.repeat(start - np.cumsum(count) + count, count)]
    which = np.repeat(busy, count)
    difference = kept[value] - threshold[which]
    above += np.bincount(which[difference > error], minlength=len(threshold))
    unsure = np.abs(difference) <= error
    return Counts(above, which[unsure], flat[value[unsure]])


def _scales(
    num_rows: int, owner: np.ndarray, threshold: np.ndarray, error: float
) -> tuple[np.ndarray, np.ndarray]:
    """The value [R] where each row's bins start, infinity without thresholds, and bins per unit [R]; float32."""
    low, scale = np.full(num_rows, np.inf, dtype=np.float32), np.zeros(num_rows, dtype=np.float32)
    rows, first = np.unique(owner, return_index=True)
    lowest = (np.minimum.reduceat(threshold, first) - error).astype(np.float32)
    low[rows] = np.nextafter(lowest, np.float32(-np.inf))
    scale[rows] = (BINS - 4) / (np.maximum.reduceat(threshold, first) + error - low[rows])
    return low, scale


def _bins(kept: np.ndarray, per_row: np.ndarray, low: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The bin of each kept value, row r's being r * BINS onwards; the last takes all above the thresholds."""
    start = np.arange(0, len(low) * BINS, BINS, dtype=np.float32)
    place = kept - np.repeat(low, per_row)
    place *= np.repeat(scale, per_row)
    place += np.repeat(start + 1, per_row)
    np.minimum(place, np.repeat(start + BINS - 1, per_row), out=place)
    return place.astype(np.intp)
