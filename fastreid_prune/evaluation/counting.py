"""Counting the wrong gallery rows ahead of each right one, tile by tile."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue

import numpy as np

from fastreid_prune.evaluation.matches import Matches
from fastreid_prune.evaluation.similarity import PAIR_VALUES, Similarity
from fastreid_prune.evaluation.sorting import LOWEST, columns_of, places, with_columns
from fastreid_prune.evaluation.threads import matrix_products_in_one_thread, over_slices
from fastreid_prune.io.cores import usable_cores

QUERIES = 4096  # in a block
WIDEST_TILE, TALLEST_TILE = 1024, 896  # similarities that a thread computes and then looks at: in its cache
BLOCK_VALUES = 1 << 23  # of float64 features on the grid
BLOCK_ENTRIES = 1 << 21
SLICE = 512  # of the width: shorter sums round less, and their float32 comparison leaves less undecided
SHORT = 64  # terms of a sum in float32 where more precision is asked for
LEAST_ERROR = 2.0**-20  # of a threshold: what the comparison of float32 with it needs


def count_ahead(
    similarity: Similarity, matches: Matches, first: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each right gallery row of each query: how many wrong rows are at least as similar.

    Wrong rows are those of other identities, ignored ones left out. A wrong row that ties with a right one
    counts as ahead of it, so that the result does not depend on the order of the gallery, and a model that
    gives the same feature to everything gets the score it deserves.

    Args:
        similarity: of Q queries with the gallery.
        matches: who is right for whom.
        first: the query to begin with.

    Yields:
        For each block of queries the right rows' query [P] int64 (ascending) and count [P] int64.
    """
    tiles = _Tiles()
    for part in _blocks(similarity, matches, first):
        with matrix_products_in_one_thread():
            block = _Block(similarity, matches, part, tiles)
            ahead = block.count()
        yield part.start + block.query, ahead


def _blocks(similarity: Similarity, matches: Matches, first: int) -> Iterator[slice]:
    """Slices of queries that keep features and entries of a block within bounds."""
    num_queries = len(similarity.query)
    size = max(1, min(QUERIES, BLOCK_VALUES // similarity.width))
    total = np.concatenate([[0], np.cumsum(matches.last - matches.first)])
    while first < num_queries:
        last = min(first + size, num_queries)
        last = max(
            first + 1, min(last, int(np.searchsorted(total, total[first] + BLOCK_ENTRIES, "right")) - 1)
        )
        yield slice(first, last)
        first = last


class _Block:
    """A block of queries against the whole gallery."""

    def __init__(self, similarity: Similarity, matches: Matches, part: slice, tiles: "_Tiles") -> None:
        self.similarity, self.matches, self.part = similarity, matches, part
        self.entries = matches.entries(part)
        self.features = _by_slices(similarity.query_float32, part)
        self.grid = _by_slices(similarity.query_grid, part)
        self.query = self.entries.query[self.entries.right]
        self.score = _scores(similarity, matches, part, self.grid)[self.entries.right]
        self.threshold = self.score / 4.0**similarity.bits
        self._tiles = tiles

    def count(self) -> np.ndarray:
        """[P] int64: the wrong rows at least as similar as each right one."""
        num_gallery, workers = len(self.similarity.gallery), usable_cores()
        tiles = -(-num_gallery // (WIDEST_TILE * workers)) * workers
        ahead = np.zeros(len(self.score), dtype=np.int64)
        for counts in over_slices(self._count_columns, num_gallery, -(-num_gallery // tiles)):
            ahead += counts
        return ahead

    def _count_columns(self, columns: slice) -> np.ndarray:
        gallery, factors = self.similarity.gallery_float32(columns)
        num_queries, counts = len(self.features), []
        with self._tiles.lent(TALLEST_TILE, len(factors)) as memory:
            for first in range(0, num_queries, TALLEST_TILE):
                rows = slice(first, min(first + TALLEST_TILE, num_queries))
                tile, terms = _products(self.features[rows], gallery, memory[:, : rows.stop - first])
                counts.append(self._count_tile(tile, rows, columns, factors, self._error(columns, terms)))
        return np.concatenate(counts)

    def _error(self, columns: slice, terms: int) -> float:
        """Of float32 similarities in a tile; few values, so that few sets of thresholds are prepared."""
        error = self.similarity.error(self.part, columns, terms)
        error = max(error, LEAST_ERROR * float(np.abs(self.threshold).max(initial=2.0**-80)))
        return error if self.similarity.cosine else 2.0 ** (math.ceil(8 * math.log2(error)) / 8)

    def _count_tile(
        self, values: np.ndarray, rows: slice, columns: slice, factors: np.ndarray, error: float
    ) -> np.ndarray:
        self.similarity.from_products(values, columns, factors)
        self.matches.leave_out(values, self.entries, rows, columns, LOWEST)
        mine = slice(*np.searchsorted(self.query, (rows.start, rows.stop)))
        owner, threshold = self.query[mine] - rows.start, self.threshold[mine]
        ranked = with_columns(values)
        ranked.sort(axis=1)
        begin, end = places(ranked, owner, threshold, error)
        unsure = end - begin
        above = values.shape[1] - end
        if unsure.sum() > values.size // 4:
            return self._count_exactly(rows, columns, owner, self.score[mine])
        which = np.repeat(np.arange(len(owner)), unsure)
        place = np.arange(len(which)) - np.repeat(np.cumsum(unsure) - unsure, unsure) + begin[which]
        column = columns_of(ranked[owner[which], place])
        ahead = self._at_least(self.query[mine][which], columns.start + column, mine.start + which)
        return above + np.bincount(which[ahead], minlength=len(above))

    def _count_exactly(self, rows: slice, columns: slice, owner: np.ndarray, score: np.ndarray) -> np.ndarray:
        exact = self.similarity.exact(self.grid[rows], self.similarity.gallery_grid(columns))
        self.matches.leave_out(exact, self.entries, rows, columns, -np.inf)
        exact.sort(axis=1)
        lower = [np.searchsorted(exact[row], value) for row, value in zip(owner, score, strict=True)]
        return exact.shape[1] - np.array(lower, dtype=np.int64)

    def _at_least(self, query: np.ndarray, row: np.ndarray, threshold: np.ndarray) -> np.ndarray:
        """[n] bool: is the similarity of these pairs at least that of ``threshold``, an index? Exactly."""
        result = np.empty(len(query), dtype=bool)
        step = min(max(1, PAIR_VALUES // self.similarity.width), max(1, len(query)))
        ours, theirs = (np.empty((step, self.similarity.width), dtype=np.float32) for _ in range(2))
        for first in range(0, len(query), step):
            part = slice(first, first + step)
            value, error = self._closer(query[part], row[part], ours, theirs)
            difference = value - self.threshold[threshold[part]]
            result[part] = difference > 0
            unsure = first + np.flatnonzero(np.abs(difference) <= error)
            if len(unsure):
                exact = self.similarity.exact_pairs(self.grid[query[unsure]], row[unsure])
                result[unsure] = exact >= self.score[threshold[unsure]]
        return result

    def _closer(
        self, query: np.ndarray, row: np.ndarray, ours: np.ndarray, theirs: np.ndarray
    ) -> tuple[np.ndarray, float]:
        """Similarities [n] of pairs with a smaller error: short float32 sums, added up in float64."""
        features = np.take(self.features, query, axis=0, out=ours[: len(query)], mode="clip")
        gallery, factors = self.similarity.gallery_float32(row, theirs[: len(row)])
        shape = len(query), -1, SHORT
        short = self.similarity.width // SHORT * SHORT
        sums = np.einsum("isk,isk->is", features[:, :short].reshape(shape), gallery[:, :short].reshape(shape))
        value = sums.sum(axis=1, dtype=np.float64)
        value += (features[:, short:] * gallery[:, short:]).sum(axis=1)
        self.similarity.from_products(value, row, factors)
        return value, self.similarity.error(self.part.start + query, row, SHORT + 1)


class _Tiles:
    """Memory for products, used again and again."""

    def __init__(self) -> None:
        self._free: SimpleQueue[np.ndarray] = SimpleQueue()

    @contextmanager
    def lent(self, height: int, width: int) -> Iterator[np.ndarray]:
        """[2, height, width] float32 of any content, inside the block."""
        size = 2 * height * width
        try:
            memory = self._free.get_nowait()
        except Empty:
            memory = np.empty(size, dtype=np.float32)
        if len(memory) < size:
            memory = np.empty(size, dtype=np.float32)
        yield memory[:size].reshape(2, height, width)
        self._free.put(memory)


def _by_slices(function: Callable[[slice], np.ndarray], part: slice) -> np.ndarray:
    """``function(part)``, which gives one row for each, computed in all cores."""
    first, count = part.start, part.stop - part.start
    rows = over_slices(
        lambda some: function(slice(first + some.start, first + some.stop)), count, max(1, count // 16)
    )
    return np.concatenate(list(rows))


def _products(query: np.ndarray, gallery: np.ndarray, out: np.ndarray) -> tuple[np.ndarray, int]:
    """The inner products [n, m] of float32 rows, and how many roundings are in each of them at most.

    Added up slice by slice of the width, whatever the BLAS library does inside a slice, in ``out`` [2, n, m].
    """
    width = query.shape[1]
    products = np.matmul(query[:, :SLICE], gallery[:, :SLICE].T, out=out[0])
    for first in range(SLICE, width, SLICE):
        part = slice(first, first + SLICE)
        products += np.matmul(query[:, part], gallery[:, part].T, out=out[1])
    return products, min(width, SLICE) + max(0, -(-width // SLICE) - 1)


def _scores(similarity: Similarity, matches: Matches, part: slice, grid: np.ndarray) -> np.ndarray:
    """The exact similarity of every entry of the block, one identity after the other."""
    first, last = matches.first[part], matches.last[part]
    start = np.cumsum(last - first) - (last - first)
    scores = np.empty(int((last - first).sum()))
    matched = np.flatnonzero(last > first)
    order = matched[np.argsort(first[matched], kind="stable")]
    groups = [group for group in np.split(order, np.flatnonzero(np.diff(first[order])) + 1) if len(group)]
    step = max(1, PAIR_VALUES // similarity.width)

    def score_groups(some: slice) -> None:
        for group in groups[some]:
            queries = grid[group]
            for begin in range(first[group[0]], last[group[0]], step):
                rows = slice(begin, min(begin + step, last[group[0]]))
                exact = similarity.exact(queries, similarity.gallery_grid(matches.by_id[rows]))
                place = start[group] + rows.start - first[group]
                scores[place[:, None] + np.arange(exact.shape[1])] = exact

    for _ in over_slices(score_groups, len(groups), max(1, len(groups) // 64)):
        pass
    return scores
