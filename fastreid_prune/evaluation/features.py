"""Features as they come in: checked, whatever their type and memory layout."""

from threading import local

import numpy as np
import torch

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.evaluation.threads import over_slices

METRICS = ("cosine", "euclidean")
BLOCK_VALUES = 1 << 16  # of float64 at a time: they stay in the processor's cache


def check_features(features: object, name: str) -> tuple[np.ndarray, np.ndarray]:
    """``features`` as a 2-D array of floats, without a copy where it is one already, and the norms of its rows.

    Args:
        features: [N, D] finite float16, float32 or float64 array or CPU tensor, in any memory layout.
        name: what to call it in messages.

    Returns:
        The array [N, D], and its Euclidean norms [N] float64. A row's norm does not depend on the other rows.

    Raises:
        FastreidPruneError: not such an array, empty, or with a value that is not finite (the row is named).
    """
    array = features.detach().numpy() if isinstance(features, torch.Tensor) else np.asarray(features)
    if array.ndim != 2 or 0 in array.shape or array.dtype.kind not in "fiu":
        raise FastreidPruneError(
            f"{name}: expected a matrix of numbers [rows, width], found {array.dtype} of shape {array.shape}."
        )
    if array.dtype not in (np.float16, np.float32, np.float64):
        array = array.astype(np.float64)
    squares = np.empty(len(array))
    step = max(1, BLOCK_VALUES // array.shape[1])
    memory = local()

    def measure(part: slice) -> None:
        if not hasattr(memory, "block"):
            memory.block = np.empty((step, array.shape[1]))
        for first in range(part.start, part.stop, step):
            some = slice(first, min(first + step, part.stop))
            block = np.square(array[some], out=memory.block[: some.stop - first], dtype=np.float64)
            block.sum(axis=1, out=squares[some])

    with np.errstate(over="ignore", invalid="ignore"):
        for _ in over_slices(measure, len(array), max(step, len(array) // 64)):
            pass
    if bad := np.flatnonzero(~np.isfinite(squares)).tolist():
        raise FastreidPruneError(
            f"{name}: row {bad[0]} holds NaN, infinity or numbers too large to square ({len(bad)} such rows of "
            f"{len(array)}). Look for a diverged model or an overflow in half precision."
        )
    return array, np.sqrt(squares)
