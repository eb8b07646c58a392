"""Who matches whom: the gallery rows that are right for a query, and those that do not count."""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.errors import FastreidPruneError


@dataclass(frozen=True)
class Matches:
    """The gallery rows that share each query's identity, query after query.

    Entry ``e`` says that gallery row ``row[e]`` has the identity of query ``query[e]``; ``positive[e]``
    that it is a true match (another camera) rather than one that is dropped (same camera). Entries are
    ordered by query; those of query ``q`` are ``start[q]:start[q + 1]``.

    Attributes:
        start: [Q + 1] int64.
        query: [E] int64.
        row: [E] int64.
        positive: [E] bool.
        ignored: [J] int64, gallery rows that count for no query (identity -1).
    """

    start: np.ndarray
    query: np.ndarray
    row: np.ndarray
    positive: np.ndarray
    ignored: np.ndarray


def match(
    query_ids: np.ndarray, gallery_ids: np.ndarray, query_cams: np.ndarray, gallery_cams: np.ndarray
) -> Matches:
    """Apply Market-1501's rule: same identity and same camera is dropped; identity -1 is junk, for every
    query.

    Args:
        query_ids: [Q] integers or strings.
        gallery_ids: [G], as ``query_ids``.
        query_cams: [Q] integers or strings.
        gallery_cams: [G], as ``query_cams``.
    """
    query_id, gallery_id = _codes(query_ids, gallery_ids)
    query_cam, gallery_cam = _codes(query_cams, gallery_cams)
    junk = _is_junk(gallery_ids)
    by_id = np.argsort(gallery_id, kind="stable")
    by_id = by_id[~junk[by_id]]
    first = np.searchsorted(gallery_id[by_id], query_id, side="left")
    last = np.searchsorted(gallery_id[by_id], query_id, side="right")
    last = np.where(_is_junk(query_ids), first, last)
    start = np.concatenate([[0], np.cumsum(last - first)])
    query = np.repeat(np.arange(len(query_id)), last - first)
    row = by_id[np.arange(start[-1]) - np.repeat(start[:-1] - first, last - first)]
    positive = gallery_cam[row] != query_cam[query]
    return Matches(start, query, row, positive, np.flatnonzero(junk))


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
