"""Features that can be compared across cameras, small enough to compare all with all."""

from collections.abc import Iterator

import numpy as np

from fastreid_prune.trajectory.blocks import release_pages, row_slices

MAX_DIMENSIONS = 256
# the mean of fewer images says more of who is in them than of the camera
_LEAST_OF_CAMERA = 50
_BLOCK_ROWS_BYTES = 32 << 20


def comparable(features: np.ndarray, camids: np.ndarray, max_dimensions: int = MAX_DIMENSIONS) -> np.ndarray:
    """Features without what a camera adds to all of its images, on their principal axes.

    Args:
        features: [N, D] float32; may be a memory map. Rows of NaN stay NaN.
        camids: [N] str.
        max_dimensions: how many principal axes are kept.

    Returns:
        [N, min(D, max_dimensions)] float32.
    """
    count, size = features.shape
    _, camera = np.unique(np.asarray(camids, str), return_inverse=True)
    images = np.bincount(camera)
    camera = np.where(images[camera] >= _LEAST_OF_CAMERA, camera, len(images))
    means = _means(features, camera, len(images) + 1)
    axes = np.eye(size, dtype=np.float32)
    if size > max_dimensions:
        covariance = np.zeros((size, size))
        for _, block in _centred(features, camera, means):
            block = block[np.isfinite(block).all(1)]
            covariance += block.T @ block
        axes = np.linalg.eigh(covariance)[1][:, ::-1][:, :max_dimensions].astype(np.float32)
    result = np.empty((count, axes.shape[1]), np.float32)
    for rows, block in _centred(features, camera, means):
        result[rows] = block @ axes if size > max_dimensions else block
    release_pages(features)
    return result


def _means(features: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """The mean [groups, D] of each group; of the last (small cameras), the mean of everything."""
    total, number = np.zeros((groups, features.shape[1])), np.zeros(groups)
    for rows in row_slices(len(features), 4 * features.shape[1], _BLOCK_ROWS_BYTES):
        block = _unit(features[rows])
        seen = np.isfinite(block).all(1)
        for one in np.unique(group[rows][seen]):
            chosen = seen & (group[rows] == one)
            total[one] += block[chosen].sum(0)
            number[one] += chosen.sum()
    total[-1], number[-1] = total.sum(0), number.sum()
    return (total / np.maximum(number, 1)[:, None]).astype(np.float32)


def _centred(
    features: np.ndarray, group: np.ndarray, means: np.ndarray
) -> Iterator[tuple[slice, np.ndarray]]:
    for rows in row_slices(len(features), 4 * features.shape[1], _BLOCK_ROWS_BYTES):
        yield rows, _unit(features[rows]) - means[group[rows]]


def _unit(block: np.ndarray) -> np.ndarray:
    block = np.asarray(block, np.float32)
    return block / np.maximum(np.linalg.norm(block, axis=1, keepdims=True), 1e-12)
