"""The k most similar rows among very many: a query is compared with the rows of the few lists that it falls into.

Inverted lists around k-means centres (Jégou, Douze and Schmid, PAMI 33, 2011), without compression: what is compared is
compared exactly, what is missed is missed because its list was not looked into. All queries that fall into a list are
compared with it in one matrix product. What it misses is measured: :func:`recall`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fastreid_prune.evaluation.knn import backend, faiss_module, knn

# up to so many rows all are compared with all, and up to so many classes with all samples (ours); beyond, a query falls
# into so many lists
EXACT_ROWS, EXACT_CLASSES, LISTS_ASKED = 50_000, 8_000, 32
# in a list, on average, of very many: then a query costs the same however many there are
ROWS_A_LIST, CLASSES_A_LIST = 200, 64
# k-means of more lists than this is made in two steps
_AT_ONCE = 900
_ROUNDS, _TRAINED_ON = 6, 48
_SAMPLE = 256


def is_exact(rows: int, most: int | None = None) -> bool:
    """Whether all are compared with all: few rows (:data:`EXACT_ROWS`, or ``most``), or a GPU."""
    return rows <= (EXACT_ROWS if most is None else most) or backend().on_gpu


@dataclass(frozen=True)
class Partition:
    """Lists that rows fall into.

    Attributes:
        centres: [L, D] float32, of length 1.
    """

    centres: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, a_list: int = ROWS_A_LIST, seed: int = 0) -> "Partition":
        """Lists of rows [n, D] float32, found on a sample of them.

        Args:
            rows: of about length 1.
            a_list: the most rows in a list, on average. Fewer rows than its square times 4 are in twice as many lists
                as the square root of their number.
            seed: of the sample and of k-means.
        """
        count = max(1, min(max(int(2 * len(rows) ** 0.5), len(rows) // a_list), len(rows)))
        rng = np.random.default_rng(seed)
        some = rng.choice(len(rows), min(len(rows), _TRAINED_ON * count), replace=False)
        sample = np.ascontiguousarray(rows[np.sort(some)], np.float32)
        if count <= _AT_ONCE:
            return cls(_centres(sample, count, seed + 1))
        groups = cls(_centres(sample, int(count**0.5), seed + 1)).lists(sample, 1)[:, 0]
        inside = [np.flatnonzero(groups == one) for one in np.unique(groups)]
        return cls(np.concatenate([
            _centres(sample[one], max(1, round(count * len(one) / len(sample))), seed + 1) for one in inside
        ]))  # fmt: skip

    def lists(self, rows: np.ndarray, count: int) -> np.ndarray:
        """The lists [n, count] int32 that rows [n, D] are nearest to, the nearest first."""
        result = np.empty((len(rows), min(count, len(self.centres))), np.int32)
        for start in range(0, len(rows), 1 << 16):
            part = slice(start, start + (1 << 16))
            result[part] = knn(rows[part], self.centres, result.shape[1])[1]
        return result


def _centres(rows: np.ndarray, count: int, seed: int) -> np.ndarray:
    """[count, D] float32 of length 1, by k-means on as many of the rows as it needs."""
    kmeans = faiss_module().Kmeans(
        rows.shape[1], count, niter=_ROUNDS, seed=seed, spherical=True, min_points_per_centroid=1,
        max_points_per_centroid=_TRAINED_ON,
    )  # fmt: skip
    kmeans.train(rows)
    return np.asarray(kmeans.centroids)


def knn_in_lists(
    query: np.ndarray,
    gallery: np.ndarray,
    k: int,
    query_lists: np.ndarray,
    gallery_list: np.ndarray,
    advance: Callable[[int], object] = int,
) -> tuple[np.ndarray, np.ndarray]:
    """The ``k`` most similar rows of a gallery of those in the same lists.

    Args:
        query: [Q, D] float32.
        gallery: [G, D] float32.
        k: how many.
        query_lists: [Q, P] int, the lists that each query falls into.
        gallery_list: [G] int, the list of each row.
        advance: told after each list how many comparisons of a query with a list were made.

    Returns:
        Inner products falling [Q, k] float32, and rows [Q, k] int64; -inf and -1 where there are fewer.

    >>> rows = np.eye(3, dtype=np.float32)
    >>> knn_in_lists(rows[:1], rows, 1, np.array([[0]]), np.array([0, 1, 1]))[1].tolist()
    [[0]]
    """
    faiss = faiss_module()
    count = 1 + int(max(query_lists.max(initial=0), gallery_list.max(initial=0)))
    order = np.argsort(gallery_list, kind="stable")
    limits = np.searchsorted(gallery_list[order], np.arange(count + 1))
    asking = np.argsort(query_lists, axis=None, kind="stable")
    asked = np.searchsorted(query_lists.ravel(), np.arange(count + 1), sorter=asking)
    asking //= query_lists.shape[1]
    heap = faiss.ResultHeap(len(query), k, keep_max=True)
    for one in range(count):
        rows, who = order[limits[one] : limits[one + 1]], asking[asked[one] : asked[one + 1]]
        if len(rows) and len(who):
            near, place = faiss.knn(
                query[who], gallery[rows], min(k, len(rows)), metric=faiss.METRIC_INNER_PRODUCT
            )
            heap.add_result_subset(who, near, rows[place])
        advance(len(who))
    heap.finalize()
    heap.D[heap.I < 0] = -np.inf
    return heap.D, heap.I


def recall(query: np.ndarray, gallery: np.ndarray, found: np.ndarray) -> float:
    """The share of the most similar rows of a gallery that were found, of a sample of a few hundred queries.

    Args:
        query: [Q, D] float32.
        gallery: [G, D] float32.
        found: [Q, k] int64, rows of the gallery; k at most G.
    """
    some = np.random.default_rng(0).permutation(len(query))[:_SAMPLE]
    if not len(some):
        return 1.0
    true = knn(query[some], gallery, found.shape[1])[1]
    return float(np.mean([np.isin(one, other).mean() for one, other in zip(true, found[some], strict=True)]))
