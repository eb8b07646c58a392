"""k-reciprocal re-ranking with sparse matrices: near neighbours count, far ones cost nothing.

Zhong et al., Re-ranking Person Re-identification with k-reciprocal Encoding, CVPR 2017. Each sample is
described by the weights of the samples that have it among their nearest and that it has among its own
(equations 3 to 7), averaged over its closest few (9); two samples are as far apart as these weights overlap
little (10). The original distance keeps a share (12). The numbers are those of fastreid's ``TEST.RERANK``.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.evaluation.search import ranked
from fastreid_prune.evaluation.similarity import PAIR_VALUES, Similarity
from fastreid_prune.evaluation.threads import over_slices

ROWS = 4096


@dataclass(frozen=True)
class Reranking:
    """How to re-rank.

    Attributes:
        k1: nearest neighbours that make a neighbourhood, the sample itself among them.
        k2: nearest neighbours whose descriptions are averaged.
        share: of the original distance in the final one, in [0, 1] (lambda).
    """

    k1: int = 20
    k2: int = 6
    share: float = 0.3

    def __post_init__(self) -> None:
        if self.k1 < 1 or self.k2 < 1 or not 0 <= self.share <= 1:
            raise FastreidPruneError(
                f"re-ranking: expected k1 and k2 from 1 and lambda in [0, 1], found {self.k1}, {self.k2}, {self.share}."
            )


class Overlaps:
    """How much the neighbourhoods of queries and gallery rows overlap.

    Args:
        query: [Q, D] features. They and the gallery's are held once more, together.
        gallery: [G, D] features.
        metric: "cosine" or "euclidean".
        reranking: k1 and k2.
    """

    def __init__(self, query: np.ndarray, gallery: np.ndarray, metric: str, reranking: Reranking) -> None:
        together = np.concatenate([query, gallery])
        weights = _weights(Similarity(together, together, metric), reranking)
        self._query = weights[: len(query)]
        self._gallery = weights[len(query) :].tocsc()

    def rows(self, queries: slice) -> sparse.csr_array:
        """[n, G] sparse float64: 1 - the Jaccard distance of these queries to every gallery row."""
        part = self._query[queries]
        pieces = list(over_slices(lambda some: self._overlap(part[some]), part.shape[0], 16))
        return sparse.vstack(pieces, format="csr")

    def _overlap(self, query: sparse.csr_array) -> sparse.csr_array:
        """Sum over j of min(query[:, j], gallery[:, j]), as intersection over union (each row sums to 1)."""
        start = self._gallery.indptr[query.indices].astype(np.int64)
        count = self._gallery.indptr[query.indices + 1] - start
        entry = np.arange(count.sum()) + np.repeat(start - np.cumsum(count) + count, count)
        row = np.repeat(np.repeat(np.arange(query.shape[0]), np.diff(query.indptr)), count)
        smaller = np.minimum(np.repeat(query.data, count), self._gallery.data[entry]).astype(np.float64)
        shape = (query.shape[0], self._gallery.shape[0])
        common = sparse.coo_array((smaller, (row, self._gallery.indices[entry])), shape=shape).tocsr()
        common.data = np.minimum(common.data / (2 - common.data), 1)
        return common


def _weights(similarity: Similarity, reranking: Reranking) -> sparse.csr_array:
    """[N, N] sparse float32: the description of each sample. Rows sum to 1, or 0 among too many duplicates."""
    nearest, _ = ranked(similarity, reranking.k1)
    near = _reciprocal(nearest)
    close = _reciprocal(nearest[:, : round(reranking.k1 / 2) + 1])
    size = np.diff(close.indptr)
    described = []
    for first in range(0, len(nearest), ROWS):
        own = near[first : first + ROWS]
        common = (own @ close.T).multiply(own).tocoo()
        joins = common.data > 2 / 3 * size[common.col]
        joining = sparse.csr_array(
            (np.ones(joins.sum(), np.int32), (common.row[joins], common.col[joins])), shape=own.shape
        )
        described.append(_softmax(similarity, (own + joining @ close).tocsr(), first))
    weights = sparse.vstack(described, format="csr")
    if reranking.k2 == 1:
        return weights
    averaged = nearest[:, : reranking.k2]
    return (_selection(averaged).astype(np.float32) @ weights / np.float32(averaged.shape[1])).tocsr()


def _selection(rows: np.ndarray) -> sparse.csr_array:
    """[N, N] sparse int32 with ones at ``rows`` [N, k]."""
    num, k = rows.shape
    return sparse.csr_array(
        (np.ones(num * k, np.int32), rows.ravel(), np.arange(num + 1) * k), shape=(num, num)
    )


def _reciprocal(nearest: np.ndarray) -> sparse.csr_array:
    """[N, N] sparse int32, 1 where two samples are in each other's ``nearest`` [N, k]."""
    selection = _selection(nearest)
    return selection.multiply(selection.T).tocsr()


def _softmax(similarity: Similarity, members: sparse.csr_array, first: int) -> sparse.csr_array:
    """The pattern of ``members`` [n, N] with softmax of minus the squared distance in each row, from ``first`` on."""
    count = np.diff(members.indptr)
    row = np.repeat(np.arange(len(count)), count)
    grid = similarity.query_grid(slice(first, first + len(count)))

    def exact(part: slice) -> np.ndarray:
        return similarity.exact_pairs(grid[row[part]], members.indices[part])

    pairs = np.concatenate(list(over_slices(exact, len(row), max(1, PAIR_VALUES // similarity.width))))
    distance = similarity.distances(similarity.own(grid)[row], pairs)
    weight = np.exp(
        -2 * distance if similarity.cosine else np.minimum(0, _lowest(distance, count)[row] - distance)
    )
    total = np.bincount(row, weights=weight, minlength=len(count))
    return sparse.csr_array(
        ((weight / total[row]).astype(np.float32), members.indices, members.indptr), members.shape
    )


def _lowest(distance: np.ndarray, count: np.ndarray) -> np.ndarray:
    """The lowest of each run of ``count`` distances; 0 for an empty run."""
    lowest, filled = np.zeros(len(count)), count > 0
    if filled.any():
        lowest[filled] = np.minimum.reduceat(distance, (np.cumsum(count) - count)[filled])
    return lowest
