"""Samples of one identity in blocks small enough to compare all with all."""

from collections.abc import Iterator

import numpy as np

from fastreid_prune.scored_run.features import Features

LARGEST = 1024


def identity_blocks(
    features: Features, labels: np.ndarray, rows: np.ndarray, largest: int = LARGEST
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Go through the samples identity by identity.

    An identity with more samples than ``largest`` is parted along faiss's k-means: near-duplicates are each other's
    nearest, so they stay together but for a few at the borders, and the work grows with N, not with N².

    Args:
        features: [N, D] float32; may be a memory map.
        labels: [N] int64.
        rows: the rows to go through.
        largest: of a block.

    Yields:
        rows [n] int64 and their features [n, D] float32 of length 1; rows whose features are not finite or are
        all zero are left out.
    """
    order = rows[np.argsort(labels[rows], kind="stable")]
    borders = np.flatnonzero(np.diff(labels[order])) + 1
    for block in np.split(order, borders):
        if not len(block):
            continue
        vectors = np.asarray(features[block], np.float32)
        length = np.linalg.norm(vectors, axis=1)
        known = np.isfinite(length) & (length > 0)
        vectors = vectors[known] / length[known, None]
        yield from _parted(block[known], vectors, largest)


def _parted(rows: np.ndarray, vectors: np.ndarray, largest: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    if len(rows) <= largest:
        yield rows, vectors
        return
    import faiss

    count = -(-len(rows) // (largest // 2))
    clustering = faiss.Kmeans(
        vectors.shape[1], count, niter=8, seed=1, spherical=True, min_points_per_centroid=1, verbose=False
    )
    clustering.train(vectors)
    nearest = clustering.index.search(vectors, 1)[1][:, 0]
    sizes = np.bincount(nearest, minlength=count)
    if sizes.max() == len(rows):
        # all alike: any parting is as good as another
        nearest = np.arange(len(rows)) // largest
        count = int(nearest.max()) + 1
    for part in range(count):
        chosen = nearest == part
        if chosen.any():
            yield from _parted(rows[chosen], vectors[chosen], largest)
