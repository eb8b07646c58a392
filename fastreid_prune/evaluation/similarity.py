"""The similarity of every query with every gallery row, exactly."""

import math

import numpy as np

from fastreid_prune.evaluation.features import BITS, norms


class Similarity:
    """Similarities between two sets of features, higher = closer, as whole numbers held in float64.

    Cosine: the inner product of the unit vectors, each rounded to multiples of 2^-26, in units of 2^-52; a
        row of zeros has similarity 0 with everything. Euclidean: ``2 q.g - |g|^2``, which orders the
        gallery of one query as the negative squared distance does, after rounding to multiples of 2^-25 of
        a power of two above four times the median norm (or the largest, if smaller). Both are exact for
        rows up to that norm, whatever the order of summation; beyond it float64 rounds as usual.
    """

    def __init__(self, query: np.ndarray, gallery: np.ndarray, metric: str) -> None:
        self.query, self.gallery, self.metric = query, gallery, metric
        self.query_norm, self.gallery_norm = norms(query), norms(gallery)
        both = np.concatenate([self.query_norm, self.gallery_norm])
        typical = min(4 * float(np.median(both)), float(both.max())) or float(both.max()) or 1.0
        self.step = 2.0 ** (math.ceil(math.log2(typical)) - BITS + 1)

    def query_grid(self, rows: np.ndarray | slice) -> np.ndarray:
        """[n, D] float64 whole numbers: these queries on the grid."""
        return self._grid(self.query[rows], self.query_norm[rows])

    def gallery_grid(self, rows: np.ndarray | slice) -> np.ndarray:
        """[n, D] float64 whole numbers: these gallery rows on the grid."""
        return self._grid(self.gallery[rows], self.gallery_norm[rows])

    def exact(self, query_grid: np.ndarray, gallery_grid: np.ndarray) -> np.ndarray:
        """[n, m] exact similarities of rows on the grid."""
        product = query_grid @ gallery_grid.T
        if self.metric == "euclidean":
            product = 2 * product - np.square(gallery_grid).sum(axis=1)
        return product

    def _grid(self, features: np.ndarray, norm: np.ndarray) -> np.ndarray:
        features = np.ascontiguousarray(features, dtype=np.float64)
        if self.metric == "euclidean":
            return np.rint(features / self.step)
        return np.rint(features / np.where(norm > 0, norm, 1.0)[:, None] * 2.0**BITS)
