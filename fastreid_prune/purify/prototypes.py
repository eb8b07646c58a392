"""What an identity looks like, without what does not belong to it."""

import numpy as np


def class_sums(features: np.ndarray, label: np.ndarray, trust: np.ndarray, num_classes: int) -> np.ndarray:
    """The sum of each class's features, each counted by its trust; [C, D] float32.

    Args:
        features: [N, D] float32, of length 1.
        label: [N] int64.
        trust: [N] float in [0, 1]; wrong labels and outliers, near 0, drag nothing.
        num_classes: C.
    """
    sums = np.zeros((num_classes, features.shape[1]), np.float32)
    np.add.at(sums, label, features * trust[:, None].astype(np.float32))
    return sums


def similarities(features: np.ndarray, label: np.ndarray, trust: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """The cosine similarity of samples to each class's prototype, [n, C] float32; their own share left out.

    Args:
        features: [n, D] float32, of length 1.
        label, trust: [n], as they went into ``sums``.
        sums: [C, D], of :func:`class_sums`. A class without anybody else is like nobody: similarity 0.
    """
    length = np.maximum(np.linalg.norm(sums, axis=1), 1e-6)
    result = features @ (sums / length[:, None]).T
    without = sums[label] - features * trust[:, None].astype(np.float32)
    own_length = np.linalg.norm(without, axis=1)
    own = np.einsum("nd,nd->n", features, without) / np.maximum(own_length, 1e-6)
    result[np.arange(len(features)), label] = np.where(own_length > 1e-3, own, 0.0)
    return result
