"""Who matches whom: the gallery rows that are right for a query, and those that do not count."""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.errors import FastreidPruneError


@dataclass(frozen=True)
class Entries:
    """The gallery rows that share the identity of each query of a block.

    Entry ``e`` says that gallery row ``row[e]`` has the identity of query ``query[e]``, counted from the
    block's first; ``right[e]`` that it is a true match (another camera) rather than one that is dropped
    (same camera).

    Attributes:
        query: [E] int64, ascending.
        row: [E] int64.
        right: [E] bool.
    """

    query: np.ndarray
    row: np.ndarray
    right: np.ndarray

    def of(self, rows: slice) -> slice:
        """The entries of some of the block's queries."""
        return slice(*np.searchsorted(self.query, (rows.start, rows.stop)))


class Matches:
    """Market-1501's rule: same identity and same camera is dropped; identity -1 is junk, for every query.

    Args:
        query_ids: [Q] integers or strings.
        gallery_ids: [G], as ``query_ids``.
        query_cams: [Q] integers or strings.
        gallery_cams: [G], as ``query_cams``.

    Attributes:
        by_id: gallery rows of known identity, those of one identity together.
        first, last: [Q] int64; the rows with the identity of query q are ``by_id[first[q]:last[q]]``.
        ignored: gallery rows that count for no query (identity -1), ascending.
        query_cam, gallery_cam: cameras as small integers.
    """

    def __init__(
        self,
        query_ids: np.ndarray,
        gallery_ids: np.ndarray,
        query_cams: np.ndarray,
        gallery_cams: np.ndarray,
    ) -> None:
        query_id, gallery_id = _codes(query_ids, gallery_ids)
        self.query_cam, self.gallery_cam = _codes(query_cams, gallery_cams)
        junk = _is_junk(gallery_ids)
        by_id = np.argsort(gallery_id, kind="stable")
        self.by_id = by_id[~junk[by_id]]
        self.ignored = np.flatnonzero(junk)
        self._sorted_ids = gallery_id[self.by_id]
        self.first = np.searchsorted(self._sorted_ids, query_id, side="left")
        self.last = np.searchsorted(self._sorted_ids, query_id, side="right")
        self.last = np.where(_is_junk(query_ids), self.first, self.last)

    def entries(self, queries: slice) -> Entries:
        """The entries of a block of queries."""
        first, count = self.first[queries], (self.last - self.first)[queries]
        start = np.cumsum(count) - count
        query = np.repeat(np.arange(len(count)), count)
        row = self.by_id[np.arange(count.sum()) + np.repeat(first - start, count)]
        return Entries(query, row, self.gallery_cam[row] != self.query_cam[queries][query])

    def identity_groups(self) -> tuple[np.ndarray, np.ndarray]:
        """Where in ``by_id`` each identity starts, and how many rows it has."""
        start = np.flatnonzero(np.diff(self._sorted_ids, prepend=-1))
        return start, np.diff(start, append=len(self.by_id))

    def leave_out(
        self, values: np.ndarray, entries: Entries, rows: slice, columns: slice, filler: float
    ) -> None:
        """Write ``filler`` into what is not a wrong row: the query's own identity, and ignored ones.

        Args:
            values: [n, m], queries ``rows`` of the block that ``entries`` describes by gallery rows
                ``columns``.
        """
        mine = entries.of(rows)
        query, row = entries.query[mine], entries.row[mine]
        inside = (row >= columns.start) & (row < columns.stop)
        values[query[inside] - rows.start, row[inside] - columns.start] = filler
        ignored = slice(*np.searchsorted(self.ignored, (columns.start, columns.stop)))
        values[:, self.ignored[ignored] - columns.start] = filler


def check_labels(labels: object, name: str, features: str, count: int) -> np.ndarray:
    """``labels`` as a 1-D array with one entry for each of the ``count`` rows of ``features``.

    Raises:
        FastreidPruneError: another shape, or neither integers nor strings.
    """
    array = np.asarray(labels)
    if array.dtype == object:
        array = array.astype(str)
    if array.shape != (count,):
        raise FastreidPruneError(
            f"{name}: expected one entry for each of the {count} rows of {features}, "
            f"found shape {array.shape}."
        )
    if array.dtype.kind == "f" and (array == np.floor(array)).all():
        array = array.astype(np.int64)
    if array.dtype.kind not in "iubUS":
        raise FastreidPruneError(f"{name}: expected integers or strings, found {array.dtype}.")
    return array


def _codes(queries: np.ndarray, gallery: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same small integers for the same values, in both arrays."""
    if (queries.dtype.kind in "US") != (gallery.dtype.kind in "US"):
        queries, gallery = queries.astype(str), gallery.astype(str)
    codes = np.unique(np.concatenate([queries, gallery]), return_inverse=True)[1]
    return codes[: len(queries)], codes[len(queries) :]


def _is_junk(ids: np.ndarray) -> np.ndarray:
    return ids == ("-1" if ids.dtype.kind == "U" else b"-1" if ids.dtype.kind == "S" else -1)
