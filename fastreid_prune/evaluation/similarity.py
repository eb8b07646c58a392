"""The similarity of queries with gallery rows: exact ones, and float32 ones with a bound of their error.

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
from fastreid_prune.evaluation.features import METRICS, check_features

UNIT = 2.0**-24  # the relative error of one float32 operation
EXTREME = 2.0**40
PAIR_VALUES = 1 << 17  # of float64 at a time: they stay in the processor's cache


class Similarity:
    """Similarities between two sets of features, higher = closer.

    Cosine: the inner product of the unit vectors, each rounded to multiples of 2^-26; a row of zeros has
    similarity 0 with everything. Euclidean: ``2 q.g - |g|^2``, which orders the gallery of one query as the
    negative squared distance does, with features divided by a power of two, ``scale`` (above four times the
    median norm, or the largest norm if that is smaller) and rounded to multiples of 2^-25. Both are exact for
    rows up to that norm, whatever the order of summation; beyond it float64 rounds as usual (``is_exact`` says that
    there is no such row).

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
        self.query, self.query_norm = check_features(query, "query_features")
        self.gallery, self.gallery_norm = check_features(gallery, "gallery_features")
        self.width = self.query.shape[1]
        if self.width != self.gallery.shape[1]:
            raise FastreidPruneError(
                f"query_features have width {self.width}, gallery_features {self.gallery.shape[1]}: "
                "they must come from the same model."
            )
        self.cosine = metric == "cosine"
        self.bits = 26 if self.cosine else 25
        both = np.concatenate([self.query_norm, self.gallery_norm])
        typical = min(4 * float(np.median(both)), float(both.max())) or float(both.max()) or 1.0
        self.scale = 1.0 if self.cosine else 2.0 ** math.ceil(math.log2(typical))
        longest = [float(norm.max()) for norm in (self.query_norm, self.gallery_norm)]
        self.is_exact = self.cosine or max(longest) <= self.scale
        self.query_factor, self.gallery_factor = (
            np.divide(1.0, norm, where=norm > 0, out=np.zeros_like(norm))
            if self.cosine
            else np.full(len(norm), 1 / self.scale)
            for norm in (self.query_norm, self.gallery_norm)
        )
        self._is_float32 = self.gallery.dtype == np.float32
        self.fits_float32 = not both.any() or 1 / EXTREME < both[both > 0].min() <= both.max() < EXTREME

    def query_grid(self, rows: np.ndarray | slice) -> np.ndarray:
        """[n, D] float64 whole numbers: these queries on the grid."""
        return self._grid(self.query[rows], self.query_factor[rows])

    def gallery_grid(self, rows: np.ndarray | slice) -> np.ndarray:
        """[n, D] float64 whole numbers: these gallery rows on the grid."""
        return self._grid(self.gallery[rows], self.gallery_factor[rows])

    def exact(self, query_grid: np.ndarray, gallery_grid: np.ndarray) -> np.ndarray:
        """[n, m] exact similarities of rows on the grid, as whole numbers."""
        product = query_grid @ gallery_grid.T
        return product if self.cosine else 2 * product - np.square(gallery_grid).sum(axis=1)

    def exact_pairs(self, query_grid: np.ndarray, gallery_rows: np.ndarray) -> np.ndarray:
        """[n] exact similarities of ``query_grid[i]`` [n, D] with gallery row ``gallery_rows[i]``."""
        gallery = self.gallery_grid(gallery_rows)
        return np.einsum("ij,ij->i", query_grid if self.cosine else 2 * query_grid - gallery, gallery)

    def own(self, query_grid: np.ndarray) -> np.ndarray:
        """[n] the exact similarity that is distance 0, for queries on the grid."""
        return np.full(len(query_grid), 4.0**self.bits) if self.cosine else np.square(query_grid).sum(axis=1)

    def distances(self, own: np.ndarray, exact: np.ndarray) -> np.ndarray:
        """Exact similarities as distances: 1 - cosine, or squared Euclidean. ``own`` broadcasts."""
        return (own - exact) / 4.0**self.bits * self.scale**2

    def query_float32(self, rows: np.ndarray | slice) -> np.ndarray:
        """[n, D] float32: these queries as unit vectors (cosine), or divided by ``scale``."""
        return (self.query[rows] * self.query_factor[rows, None]).astype(np.float32)

    def gallery_float32(
        self, rows: np.ndarray | slice, out: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """[n, D] float32 and [n] float32: gallery rows, and the factors that bring them to the queries' scale.

        For a slice they are the features themselves, not a copy, where these are float32 and their norms not
        extreme. ``out`` [at least n, D] float32 is memory that rows picked by number may be copied into.
        """
        if self.fits_float32 and isinstance(rows, np.ndarray) and out is not None and self._is_float32:
            picked = np.take(self.gallery, rows, axis=0, out=out[: len(rows)], mode="clip")
            return picked, self.gallery_factor[rows].astype(np.float32)
        if self.fits_float32:
            return np.ascontiguousarray(self.gallery[rows], np.float32), self.gallery_factor[rows].astype(
                np.float32
            )
        scaled = (self.gallery[rows] * self.gallery_factor[rows, None]).astype(np.float32)
        return scaled, np.ones(len(scaled), dtype=np.float32)

    def from_products(
        self, products: np.ndarray, gallery_rows: np.ndarray | slice, factors: np.ndarray
    ) -> None:
        """Make ``products`` [..., n] of the float32 rows into similarities, in place, in units of 1."""
        products *= factors
        if not self.cosine:
            products *= 2
            products -= np.square(self.gallery_norm[gallery_rows] / self.scale).astype(np.float32)

    def error(self, query_rows: np.ndarray | slice, gallery_rows: np.ndarray | slice, terms: int) -> float:
        """How far a float32 similarity, or squared distance, of these rows can be from the exact one at most.

        In units of 1 (Euclidean: of ``scale**2``). For a sum of ``terms`` products in any order it is at most
        ``terms`` roundings (Higham, Accuracy and Stability of Numerical Algorithms, 2002, equation 3.5); 8
        more are allowed for all that is not the sum (features, factor, norm and their products), and the grid
        moves each coordinate by half a step.
        """
        relative = (terms + 8) * UNIT * 1.01
        grid = math.sqrt(self.width) * 2.0**-self.bits
        if self.cosine:
            return relative + grid
        size = self.query_norm[query_rows].max(initial=0) + self.gallery_norm[gallery_rows].max(initial=0)
        return relative * float(size / self.scale) ** 2 + 2 * grid * float(size / self.scale)

    def _grid(self, features: np.ndarray, factor: np.ndarray) -> np.ndarray:
        scaled = np.multiply(features, factor[:, None] * 2.0**self.bits, dtype=np.float64, order="C")
        return np.rint(scaled, out=scaled)
