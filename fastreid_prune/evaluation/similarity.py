"""The similarity of queries with gallery rows: exact ones, and float32 features to find candidates with.

Floating-point inner products depend on the order of the sum, hence on the BLAS library, on the number of
threads and on where a row falls in a block: equal features can get unequal similarities. Here each similarity
has one exact value. Features are rounded to whole multiples of a step so small that float64 holds every
partial sum of products without rounding (Cauchy-Schwarz bounds them by the product of the norms), so that
any order, block, thread count or device gives the same number, and equal features tie. The step is finer
than the error of a float32 product of wide features.
"""

import math

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.evaluation.features import METRICS, check_features, norms

PAIR_VALUES = 1 << 17  # of float64 at a time: they stay in the processor's cache


class Similarity:
    """Similarities between two sets of features, higher = closer, as whole numbers held in float64.

    Cosine: the inner product of the unit vectors, each rounded to multiples of 2^-26; a row of zeros has
    similarity 0 with everything. Euclidean: ``2 q.g - |g|^2``, which orders the gallery of one query as the
    negative squared distance does, with features divided by a power of two, ``scale`` (above four times the
    median norm, or the largest norm if that is smaller) and rounded to multiples of 2^-25. Both are exact for
    rows up to that norm, whatever the order of summation; beyond it float64 rounds as usual.

    Args:
        query: [Q, D] finite floats.
        gallery: [G, D] finite floats.
        metric: "cosine" or "euclidean".

    Raises:
        FastreidPruneError: features that are not such matrices, or an unknown metric.
    """

    def __init__(self, query: np.ndarray, gallery: np.ndarray, metric: str) -> None:
        if metric not in METRICS:
            raise FastreidPruneError(f"metric: expected one of {', '.join(METRICS)}, found {metric!r}.")
        self.query = check_features(query, "query_features")
        self.gallery = check_features(gallery, "gallery_features")
        if self.query.shape[1] != self.gallery.shape[1]:
            raise FastreidPruneError(
                f"query_features have width {self.query.shape[1]}, gallery_features {self.gallery.shape[1]}: "
                "they must come from the same model."
            )
        self.cosine = metric == "cosine"
        self.query_norm, self.gallery_norm = norms(self.query), norms(self.gallery)
        both = np.concatenate([self.query_norm, self.gallery_norm])
        typical = min(4 * float(np.median(both)), float(both.max())) or float(both.max()) or 1.0
        self.scale = 1.0 if self.cosine else 2.0 ** math.ceil(math.log2(typical))
        self.bits = 26 if self.cosine else 25

    def query_grid(self, rows: np.ndarray | slice) -> np.ndarray:
        """[n, D] float64 whole numbers: these queries on the grid."""
        return self._grid(self.query[rows], self.query_norm[rows])

    def gallery_grid(self, rows: np.ndarray | slice) -> np.ndarray:
        """[n, D] float64 whole numbers: these gallery rows on the grid."""
        return self._grid(self.gallery[rows], self.gallery_norm[rows])

    def query_float32(self, rows: slice) -> np.ndarray:
        """[n, D] float32: these queries as unit vectors (cosine), or divided by ``scale``."""
        return self._divided(self.query[rows], self.query_norm[rows]).astype(np.float32)

    def gallery_float32(self, rows: slice) -> np.ndarray:
        """[n, D] float32: these gallery rows, likewise."""
        return self._divided(self.gallery[rows], self.gallery_norm[rows]).astype(np.float32)

    def exact(self, query_grid: np.ndarray, gallery_grid: np.ndarray) -> np.ndarray:
        """[n, m] exact similarities of rows on the grid."""
        product = query_grid @ gallery_grid.T
        return product if self.cosine else 2 * product - np.square(gallery_grid).sum(axis=1)

    def pairs(self, query_rows: np.ndarray, gallery_rows: np.ndarray) -> np.ndarray:
        """[n] exact similarities of query ``query_rows[i]`` with gallery row ``gallery_rows[i]``."""
        result = np.empty(len(query_rows))
        step = max(1, PAIR_VALUES // self.query.shape[1])
        for first in range(0, len(query_rows), step):
            part = slice(first, first + step)
            query, gallery = self.query_grid(query_rows[part]), self.gallery_grid(gallery_rows[part])
            if not self.cosine:
                query = 2 * query - gallery
            result[part] = np.einsum("ij,ij->i", query, gallery)
        return result

    def distances(self, query_rows: np.ndarray | slice, similarity: np.ndarray) -> np.ndarray:
        """``similarity`` [n, m] of these queries as distances: 1 - cosine, or squared Euclidean."""
        if self.cosine:
            return 1 - similarity / 4.0**self.bits
        own = np.square(self.query_grid(query_rows)).sum(axis=1, keepdims=True)
        return (own - similarity) / 4.0**self.bits * self.scale**2

    def error(self, query_rows: slice, gallery_rows: slice) -> float:
        """The most that the float32 product or squared distance of the float32 rows can be off.

        In units of 1 for cosine, of ``scale**2`` for Euclidean. It is the bound for a sum of D products in
        any order (Higham, Accuracy and Stability of Numerical Algorithms, 2002, equation 3.5), with 16 more
        roundings for all that is not the sum.
        """
        relative = (self.query.shape[1] + 16) * 2.0**-24 * 1.01
        if self.cosine:
            return relative
        largest = self.query_norm[query_rows].max(initial=0) + self.gallery_norm[gallery_rows].max(initial=0)
        return relative * float(largest / self.scale) ** 2

    def _grid(self, features: np.ndarray, norm: np.ndarray) -> np.ndarray:
        return np.rint(self._divided(features, norm) * 2.0**self.bits)

    def _divided(self, features: np.ndarray, norm: np.ndarray) -> np.ndarray:
        features = np.ascontiguousarray(features, dtype=np.float64)
        return features / (np.where(norm > 0, norm, 1.0)[:, None] if self.cosine else self.scale)
