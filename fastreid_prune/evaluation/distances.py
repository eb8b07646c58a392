"""Distances of queries to the gallery, exactly, with re-ranking where it is asked for."""

from collections.abc import Callable, Iterator

import numpy as np
from scipy import sparse

from fastreid_prune.evaluation.matches import Entries, Matches
from fastreid_prune.evaluation.rerank import Overlaps, Reranking
from fastreid_prune.evaluation.similarity import PAIR_VALUES, Similarity
from fastreid_prune.evaluation.threads import matrix_products_in_one_thread, over_slices

QUERIES = 256
GALLERY = 4096


class Distances:
    """Distances between queries and gallery: those of the metric, or their mixture with the Jaccard distance."""

    def __init__(self, similarity: Similarity, reranking: Reranking | None = None) -> None:
        self.similarity, self.reranking = similarity, reranking
        if reranking:
            metric = "cosine" if similarity.cosine else "euclidean"
            self._overlaps = Overlaps(similarity.query, similarity.gallery, metric, reranking)

    def of(self, queries: slice) -> "QueryDistances":
        """The distances of a block of queries."""
        overlaps = self._overlaps.rows(queries) if self.reranking else None
        return QueryDistances(self.similarity, queries, self.reranking, overlaps)


class QueryDistances:
    """The distances of a block of queries; a pair has the same one whichever way it is asked for."""

    def __init__(
        self,
        similarity: Similarity,
        queries: slice,
        reranking: Reranking | None,
        overlaps: sparse.csr_array | None,
    ) -> None:
        self._similarity, self._reranking, self._overlaps = similarity, reranking, overlaps
        self._grid = similarity.query_grid(queries)
        self._own = similarity.own(self._grid)

    def tile(self, columns: slice) -> np.ndarray:
        """[n, m] float64 distances to a slice of the gallery."""
        exact = self._similarity.exact(self._grid, self._similarity.gallery_grid(columns))
        distance = self._similarity.distances(self._own[:, None], exact)
        if self._overlaps is None:
            return distance
        near = self._overlaps[:, columns].tocoo()
        mixed = self._mix(distance[near.row, near.col], near.data)
        distance = self._mix(distance, np.zeros(1))
        distance[near.row, near.col] = mixed
        return distance

    def pairs(self, query: np.ndarray, row: np.ndarray) -> np.ndarray:
        """[n] float64 distances of the block's ``query[i]`` to gallery row ``row[i]``."""
        step = max(1, PAIR_VALUES // self._similarity.width)
        parts = [slice(first, first + step) for first in range(0, len(query), step)]
        exact = [self._similarity.exact_pairs(self._grid[query[part]], row[part]) for part in parts]
        distance = self._similarity.distances(self._own[query], np.concatenate([np.empty(0), *exact]))
        if self._overlaps is None:
            return distance
        return self._mix(distance, np.asarray(self._overlaps[query, row]).ravel())

    def _mix(self, distance: np.ndarray, overlap: np.ndarray) -> np.ndarray:
        share = 1.0 if self._reranking is None else self._reranking.share
        return share * distance + (1 - share) * (1 - overlap)


def query_blocks(num_queries: int) -> Iterator[slice]:
    """Slices of queries that keep a block's distances small."""
    for first in range(0, num_queries, QUERIES):
        yield slice(first, min(first + QUERIES, num_queries))


def over_wrong(
    function: Callable[[np.ndarray], np.ndarray],
    block: QueryDistances,
    matches: Matches,
    entries: Entries,
    queries: slice,
) -> np.ndarray:
    """The sum of ``function(tile)`` over tiles [n, m] of a block's distances, infinite for what is not wrong."""
    rows = slice(0, queries.stop - queries.start)

    def of_tile(columns: slice) -> np.ndarray:
        tile = block.tile(columns)
        matches.leave_out(tile, entries, rows, columns, np.inf)
        return function(tile)

    return np.sum(list(over_slices(of_tile, len(matches.gallery_cam), GALLERY)), axis=0)


def count_ahead_by_distance(
    distances: Distances, matches: Matches
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """As ``counting.count_ahead``, for distances of any kind: slower."""
    for part in query_blocks(len(distances.similarity.query)):
        entries, block = matches.entries(part), distances.of(part)
        query, row = entries.query[entries.right], entries.row[entries.right]
        right = block.pairs(query, row)

        def count(tile: np.ndarray, query: np.ndarray = query, right: np.ndarray = right) -> np.ndarray:
            tile.sort(axis=1)
            ahead = [np.searchsorted(tile[q], d, side="right") for q, d in zip(query, right, strict=True)]
            return np.array(ahead, dtype=np.int64)

        with matrix_products_in_one_thread():
            ahead = over_wrong(count, block, matches, entries, part)
        yield part.start + query, ahead
