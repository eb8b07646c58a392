"""Counting the wrong gallery rows ahead of each right one on a GPU: float64 products, and nothing to decide.

Features on the grid of :mod:`.similarity` have inner products that float64 holds without rounding, in any order of
summation, so that a GPU gives the same numbers as the processor, and the counts are equal bit for bit. The matrix
product is checked all the same: the similarity of each query with each image of its own identity is computed a second
time, term by term, and the two must be equal.
"""

import logging
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from fastreid_prune.evaluation.counting import count_ahead
from fastreid_prune.evaluation.matches import Matches
from fastreid_prune.evaluation.similarity import Similarity

logger = logging.getLogger(__name__)

QUERIES = 4096  # in a block
TILE_VALUES = 1 << 24  # float64 similarities at a time, and as many values of features
THRESHOLD_VALUES = 1 << 22  # of a block, padded
SHARE = 0.25  # of the free memory that the gallery may take as it is; else it is moved piece by piece


class NotExact(Exception):
    """The device's float64 matrix product is not exact (emulated, or not float64)."""


def counting_device(device: str) -> torch.device | None:
    """The GPU that ``device`` ("auto", "cpu", "cuda", "cuda:1") names, None for the processor."""
    if device == "auto":
        return torch.device("cuda") if torch.cuda.is_available() else None
    return None if device == "cpu" else torch.device(device)


def count_ahead_on(
    similarity: Similarity, matches: Matches, device: torch.device
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """As :func:`.counting.count_ahead`, computed on ``device``; the processor takes over where that cannot be.

    That is: a Euclidean row is so long that float64 would round, the memory is too small, or the product is not exact.
    """
    first = 0
    try:
        if not similarity.is_exact:
            raise NotExact("a feature is too long for exact sums")
        for part, query, ahead in _counted(similarity, matches, device):
            yield part.start + query, ahead
            first = part.stop
    except (NotExact, torch.cuda.OutOfMemoryError) as error:
        logger.warning("Ranking goes on on the processor: %s", str(error).split("\n")[0])
        for query, ahead in count_ahead(similarity, matches, first):
            yield query, ahead


def _counted(
    similarity: Similarity, matches: Matches, device: torch.device
) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    features = DeviceFeatures(similarity, device)
    for part in query_blocks(similarity, matches):
        entries = matches.entries(part)
        block = _Block(features, part, entries.query, entries.row, entries.right)
        yield part, entries.query[entries.right], block.count(matches.ignored)


def query_blocks(similarity: Similarity, matches: Matches) -> Iterator[slice]:
    """Slices of queries that keep a block's features, and its thresholds, padded, within bounds."""
    count = np.maximum(matches.last - matches.first, 1)
    size = max(1, min(QUERIES, TILE_VALUES // similarity.width))
    first = 0
    while first < len(count):
        some = count[first : first + size]
        padded = np.maximum.accumulate(some) * np.arange(1, len(some) + 1)
        last = first + max(1, int(np.searchsorted(padded, THRESHOLD_VALUES, "right")))
        yield slice(first, last)
        first = last


class DeviceFeatures:
    """The features of both sides on a device, on the grid."""

    def __init__(self, similarity: Similarity, device: torch.device) -> None:
        self.similarity, self.device = similarity, device
        self.num_gallery = len(similarity.gallery)
        self._query, self._gallery = (
            torch.from_numpy(np.ascontiguousarray(array)) for array in (similarity.query, similarity.gallery)
        )
        scale = 2.0**similarity.bits
        self._query_factor, self._gallery_factor = (
            torch.from_numpy(factor * scale).to(device)
            for factor in (similarity.query_factor, similarity.gallery_factor)
        )
        if device.type == "cuda" and self._gallery.nbytes <= SHARE * torch.cuda.mem_get_info(device)[0]:
            self._gallery = self._gallery.to(device)

    def query(self, rows: slice) -> Tensor:
        """[n, D] float64 whole numbers."""
        return self._grid(self._query[rows], self._query_factor[rows])

    def gallery(self, rows: slice | Tensor) -> Tensor:
        """[n, D] float64 whole numbers; of some rows [n] int64 on the device, or of a slice."""
        there = rows if isinstance(rows, slice) else rows.to(self._gallery.device)
        return self._grid(self._gallery[there], self._gallery_factor[rows])

    def tile(self, query: Tensor, columns: slice) -> Tensor:
        """[n, m] exact similarities of ``query`` [n, D] with a slice of the gallery, by a matrix product."""
        gallery = self.gallery(columns)
        product = query @ gallery.T
        if not self.similarity.cosine:
            product.mul_(2).sub_(gallery.square().sum(1))
        return product

    def pairs_of(self, grid: Tensor, query: np.ndarray, row: np.ndarray) -> Tensor:
        """[E] exact similarities, term by term, of queries ``grid[query[e]]`` with gallery rows ``row[e]``."""
        scores = [torch.empty(0, dtype=torch.float64, device=self.device)]
        step = max(1, TILE_VALUES // (2 * self.similarity.width))
        for first in range(0, len(query), step):
            which, rows = (
                torch.from_numpy(array[first : first + step]).to(self.device) for array in (query, row)
            )
            ours, gallery = grid[which], self.gallery(rows)
            scores.append(((ours if self.similarity.cosine else 2 * ours - gallery) * gallery).sum(1))
        return torch.cat(scores)

    def _grid(self, features: Tensor, factor: Tensor) -> Tensor:
        return (features.to(self.device, torch.float64) * factor[:, None]).round_()


class _Block:
    """A block of queries against the whole gallery."""

    def __init__(
        self, features: DeviceFeatures, part: slice, query: np.ndarray, row: np.ndarray, right: np.ndarray
    ) -> None:
        self.features, self.size = features, part.stop - part.start
        self.grid = features.query(part)
        order = np.argsort(
            row, kind="stable"
        )  # the entries inside a slice of the gallery are a slice of these
        self.sorted_row = row[order]
        self.score = features.pairs_of(self.grid, query[order], row[order])
        self.query, self.row = (torch.from_numpy(array[order]).to(features.device) for array in (query, row))
        self.owner = query[right]
        count = np.bincount(self.owner, minlength=self.size)
        self.place = np.arange(len(self.owner)) - np.repeat(np.cumsum(count) - count, count)
        self.thresholds = self._padded(np.argsort(order)[right], max(1, int(count.max(initial=0))))

    def _padded(self, which: np.ndarray, most: int) -> Tensor:
        """The scores [n, most] float64 of the right rows, the entries ``which``; infinite where a query has fewer."""
        padded = np.full((self.size, most), -1, dtype=np.int64)
        padded[self.owner, self.place] = which
        infinite = self.score.new_full((1,), torch.inf)
        return torch.cat([self.score, infinite])[torch.from_numpy(padded).to(self.score.device)]

    def count(self, ignored: np.ndarray) -> np.ndarray:
        """[P] int64: the wrong rows at least as similar as each right one."""
        num_gallery, width = self.features.num_gallery, self.features.similarity.width
        step = max(1, min(TILE_VALUES // self.size, TILE_VALUES // width))
        ahead = torch.zeros(self.thresholds.shape, dtype=torch.int64, device=self.features.device)
        for first in range(0, num_gallery, step):
            columns = slice(first, min(first + step, num_gallery))
            tile = self.features.tile(self.grid, columns)
            self._leave_out(tile, columns, ignored)
            ahead += self._at_least(tile)
        return ahead.cpu().numpy()[self.owner, self.place]

    def _leave_out(self, tile: Tensor, columns: slice, ignored: np.ndarray) -> None:
        """Minus infinity for what is not a wrong row; the similarities found there must be those known.

        Raises:
            NotExact: they are not.
        """
        inside = slice(*np.searchsorted(self.sorted_row, (columns.start, columns.stop)))
        query, column = self.query[inside], self.row[inside] - columns.start
        if not torch.equal(tile[query, column], self.score[inside]):
            raise NotExact(f"float64 matrix products on {self.features.device} are not exact")
        tile[query, column] = -torch.inf
        junk = ignored[slice(*np.searchsorted(ignored, (columns.start, columns.stop)))] - columns.start
        if len(junk):
            tile[:, torch.from_numpy(junk).to(tile.device)] = -torch.inf

    def _at_least(self, tile: Tensor) -> Tensor:
        """[n, P] int64: how many values of each row are at least each of its thresholds."""
        return tile.shape[1] - torch.searchsorted(tile.sort(1).values, self.thresholds)
