"""Features as they come in: checked, whatever their type and memory layout."""

import numpy as np
import torch

from fastreid_prune.errors import FastreidPruneError

METRICS = ("cosine", "euclidean")
ROWS = 1024


def check_features(features: object, name: str) -> np.ndarray:
    """``features`` as a 2-D array of finite floats, without a copy where it is one already.

    Args:
        features: [N, D] float16, float32 or float64 array or CPU tensor, in any memory layout.
        name: what to call it in messages.

    Raises:
        FastreidPruneError: not such an array, empty, or with a value that is not finite (the row is named).
    """
    array = features.detach().numpy() if isinstance(features, torch.Tensor) else np.asarray(features)
    if array.ndim != 2 or 0 in array.shape or array.dtype.kind not in "fiu":
        raise FastreidPruneError(
            f"{name}: expected a matrix of numbers [rows, width], found {array.dtype} of shape {array.shape}."
        )
    if array.dtype.kind != "f":
        array = array.astype(np.float32)
    for first in range(0, len(array), ROWS):
        bad = ~np.isfinite(array[first : first + ROWS]).all(axis=1)
        if bad.any():
            row = first + int(np.argmax(bad))
            count = sum(
                int((~np.isfinite(array[i : i + ROWS]).all(axis=1)).sum()) for i in range(0, len(array), ROWS)
            )
            raise FastreidPruneError(
                f"{name}: row {row} holds NaN or infinity ({count} such rows of {len(array)}). "
                "Look for a diverged model or an overflow in half precision."
            )
    return array


def norms(features: np.ndarray) -> np.ndarray:
    """[N] float64 Euclidean norms; a row's norm does not depend on the rows around it."""
    result = np.empty(len(features))
    for first in range(0, len(features), ROWS):
        block = np.ascontiguousarray(features[first : first + ROWS], dtype=np.float64)
        result[first : first + ROWS] = np.sqrt(np.square(block).sum(axis=1))
    return result
