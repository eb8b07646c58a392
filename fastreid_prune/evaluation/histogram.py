"""How many values of a row exceed each threshold, for many rows and thresholds at once, without a sort."""

from typing import NamedTuple

import numpy as np

BINS = 512  # a row
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


class Thresholds:
    """Thresholds of the rows of a matrix, prepared once to count the values above them in many matrices.

    Values are put into bins, whose cumulative counts decide all but the values in the bins around a
    threshold; those are compared one by one. Values below all thresholds of their row are never looked at
    again. The cost does not depend on the number of thresholds or on how many values each has above it.

    Args:
        num_rows: R.
        owner: [T] int64, ascending, the row of each threshold.
        threshold: [T] float64.
        error: how far a value can be from the truth; at least 2^-20 of the largest threshold.
    """

    def __init__(self, num_rows: int, owner: np.ndarray, threshold: np.ndarray, error: float) -> None:
        self._owner, self._threshold, self._error = owner, threshold, error
        self._num_bins = num_rows * BINS
        self._low, self._scale = _scales(num_rows, owner, threshold, error)
        bin_place = (threshold - self._low[owner]) * self._scale[owner].astype(np.float64) + owner * BINS + 1
        reach = error * self._scale[owner] + SLACK
        self._begin = np.floor(bin_place - reach).astype(np.int64)
        self._end = np.floor(bin_place + reach).astype(np.int64) + 1
        self._start = np.arange(0, self._num_bins, BINS)
        self._around = np.zeros(self._num_bins, dtype=bool)
        for step in range(int((self._end - self._begin).max(initial=0))):
            self._around[np.minimum(self._begin + step, self._end - 1)] = True

    def count(self, values: np.ndarray, most_unsure: int) -> Counts | None:
        """Count the values of each threshold's row that lie above it.

        Args:
            values: [R, W] float32; ``-inf`` never counts.
            most_unsure: give up, with None, when more than so many values lie around thresholds.
        """
        above = np.zeros(len(self._threshold), dtype=np.int64)
        nothing = Counts(above, above[:0], above[:0])
        flat = np.flatnonzero(values >= self._low[:, None])
        if not len(flat):
            return nothing
        kept = values.ravel()[flat]
        bins = self._bins(kept, np.diff(np.searchsorted(flat, np.arange(len(values) + 1) * values.shape[1])))
        up_to = np.zeros(self._num_bins + 1, dtype=np.int64)
        np.cumsum(np.bincount(bins, minlength=self._num_bins), out=up_to[1:])
        above += up_to[(self._owner + 1) * BINS] - up_to[self._end]
        around = up_to[self._end] - up_to[self._begin]
        if around.sum() > most_unsure:
            return None
        busy = np.flatnonzero(around)
        if not len(busy):
            return nothing
        close = np.flatnonzero(self._around[bins])
        close = close[np.argsort(bins[close], kind="stable")]
        count = around[busy]
        start = np.searchsorted(bins[close], self._begin[busy])
        value = close[np.arange(count.sum()) + np.repeat(start - np.cumsum(count) + count, count)]
        which = np.repeat(busy, count)
        difference = kept[value] - self._threshold[which]
        above += np.bincount(which[difference > self._error], minlength=len(above))
        unsure = np.abs(difference) <= self._error
        return Counts(above, which[unsure], flat[value[unsure]])

    def _bins(self, kept: np.ndarray, per_row: np.ndarray) -> np.ndarray:
        """The bin of each kept value, row r's being r * BINS onwards; the last takes all above the thresholds."""
        place = kept - np.repeat(self._low, per_row)
        place *= np.repeat(self._scale, per_row)
        place += 1
        np.minimum(place, BINS - 1, out=place)
        bins = place.astype(np.intp)
        bins += np.repeat(self._start, per_row)
        return bins


def _scales(
    num_rows: int, owner: np.ndarray, threshold: np.ndarray, error: float
) -> tuple[np.ndarray, np.ndarray]:
    """The value [R] where each row's bins start, infinity without thresholds, and bins per unit [R]; float32.

    No bin is narrower than the error: finer ones would decide nothing.
    """
    low, scale = np.full(num_rows, np.inf, dtype=np.float32), np.zeros(num_rows, dtype=np.float32)
    if not len(threshold):
        return low, scale
    rows, first = np.unique(owner, return_index=True)
    lowest = (np.minimum.reduceat(threshold, first) - error).astype(np.float32)
    low[rows] = np.nextafter(lowest, np.float32(-np.inf))
    highest = np.maximum.reduceat(threshold, first)
    scale[rows] = np.minimum((BINS - 4) / (highest + error - low[rows]), 1 / error)
    return low, scale
