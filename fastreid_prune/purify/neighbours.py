"""Who is nearest to whom, and what neighbours say of a sample's identity."""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.evaluation.inverted_lists import LISTS_ASKED, Partition, is_exact, knn_in_lists, recall
from fastreid_prune.evaluation.knn import knn
from fastreid_prune.io.bars import bar
from fastreid_prune.io.work import Work

_QUERIES = 4096
# of those whose neighbours are looked for in lists, at least: each part gathers all lists once
_PARTS = 4


@dataclass(frozen=True)
class Neighbours:
    """The nearest other samples.

    Attributes:
        index: [N, k] int64, rows, the nearest first; -1 where there are fewer.
        similarity: [N, k] float32, cosine, falling.
        recall: the share of the true ones that were found, measured on a sample; 1 where all were compared with all,
            NaN where it was not measured.
    """

    index: np.ndarray
    similarity: np.ndarray
    recall: float = 1.0


def lists_of(features: np.ndarray, candidates: np.ndarray) -> np.ndarray | None:
    """The lists [N, P] that samples fall into, where there are too many candidates to compare all; else None."""
    rows = np.flatnonzero(candidates)
    if is_exact(len(rows)):
        return None
    return Partition.of(features[rows]).lists(features, LISTS_ASKED)


def nearest(
    features: np.ndarray,
    candidates: np.ndarray,
    k: int,
    rows: np.ndarray,
    lists: np.ndarray | None = None,
    work: Work | None = None,
    name: str = "",
    measure: bool = True,
) -> Neighbours:
    """The ``k`` nearest of the candidates, itself left out, of some samples.

    Beyond :data:`.inverted_lists.EXACT_ROWS` candidates on a processor they are looked for in lists.

    Args:
        features: [N, D] float32, of length 1; not NaN.
        candidates: [N] bool, the samples that may be a neighbour.
        k: how many; at least 1.
        rows: [n] int64, whose neighbours are asked for.
        lists: [N, P], of :func:`lists_of`, where they are known already, of these features or much the same.
        work: how it is done; what is looked for in lists is kept, as it takes minutes.
        name: of this step of the work.
        measure: the recall.
    """
    pool_rows = np.flatnonzero(candidates)
    pool = np.ascontiguousarray(features[pool_rows])
    depth = min(k + 1, len(pool_rows))
    index = np.full((len(rows), k), -1, np.int64)
    similarity = np.full((len(rows), k), -1.0, np.float32)
    if lists is None:
        lists = lists_of(features, candidates)
    share = 1.0 if lists is None else np.nan
    queries = _QUERIES if lists is None else max(_QUERIES, len(rows) // _PARTS + 1)
    blocks = [rows[start : start + queries] for start in range(0, len(rows), queries)]
    work = work or Work()
    found = work.blocks(
        name if lists is not None else "", _nearest, (features, pool, pool_rows, depth, k, lists), blocks
    )
    with bar("looking for neighbours", len(rows), shown=len(rows) > _QUERIES) as advance:
        for number, (some, (near, at)) in enumerate(zip(blocks, found, strict=True)):
            part = slice(number * queries, number * queries + len(some))
            index[part], similarity[part] = at, near
            if measure and lists is not None and not number:
                share = _recall(features, pool, pool_rows, some, at)
            advance(len(some))
    return Neighbours(index, similarity, share)


def _nearest(
    features: np.ndarray,
    pool: np.ndarray,
    pool_rows: np.ndarray,
    depth: int,
    k: int,
    lists: np.ndarray | None,
    rows: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Similarity and rows [n, k] of the nearest of ``rows`` [n]."""
    if lists is None:
        near, found = knn(features[rows], pool, depth)
    else:
        near, found = knn_in_lists(features[rows], pool, depth, lists[rows], lists[pool_rows, 0])
    index, similarity = _without_itself(near, np.where(found >= 0, pool_rows[found], -1), rows, k)
    return similarity, index


def _recall(
    features: np.ndarray, pool: np.ndarray, pool_rows: np.ndarray, rows: np.ndarray, found: np.ndarray
) -> float:
    """The share of the nearest [n, k] that were found, each row itself among neither; see :func:`.recall`."""
    place = np.full(len(features), -1)
    place[pool_rows] = np.arange(len(pool_rows))
    itself = place[rows]
    return recall(features[rows], pool, np.column_stack([np.where(found >= 0, place[found], -1), itself]))


def _without_itself(
    near: np.ndarray, found: np.ndarray, rows: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The rows [n, k] found and how near they are, but for each row itself."""
    depth = found.shape[1]
    index, similarity = np.full((len(rows), k), -1, np.int64), np.full((len(rows), k), -1.0, np.float32)
    itself = found == rows[:, None]
    # who is no candidate, or was pushed out of its own list by ties, loses the last one instead
    if depth == k + 1:
        itself[~itself.any(1), -1] = True
    order = np.argsort(itself, axis=1, kind="stable")[:, :k]
    keep = np.take_along_axis(~itself & (found >= 0), order, 1)
    width = order.shape[1]
    index[:, :width] = np.where(keep, np.take_along_axis(found, order, 1), -1)
    similarity[:, :width] = np.where(keep, np.take_along_axis(near, order, 1), -1.0)
    return index, similarity


def joined(count: int, parts: list[tuple[np.ndarray, Neighbours]]) -> Neighbours:
    """The neighbours of all ``count`` samples from those of parts of them, (rows, neighbours) each."""
    k = parts[0][1].index.shape[1]
    index, similarity = np.full((count, k), -1, np.int64), np.full((count, k), -1.0, np.float32)
    for rows, found in parts:
        index[rows], similarity[rows] = found.index, found.similarity
    return Neighbours(index, similarity, float(np.nanmean([found.recall for _, found in parts])))


def vote_weights(
    neighbours: Neighbours,
    camids: np.ndarray,
    label_confidence: np.ndarray,
    *,
    width: float,
    other_camera: float,
) -> np.ndarray:
    """How much each neighbour's word counts, [N, k] float32; every row sums to 1 (0 without neighbours).

    A neighbour counts exp((similarity - that of the nearest) / width), times its label_confidence, times
    ``other_camera`` where another camera took it: two images of one camera also look alike for reasons that
    have nothing to do with who is in them.

    Args:
        neighbours: of N samples.
        camids: [N] str or int.
        label_confidence: [N] float in [0, 1], the probability that a sample's label is right.
        width: in units of cosine similarity.
        other_camera: at least 1.
    """
    index, similarity = neighbours.index, neighbours.similarity
    weight = np.exp((similarity - similarity[:, :1]) / width) * label_confidence[index]
    weight = np.where(camids[index] != camids[:, None], weight * other_camera, weight)
    weight[index < 0] = 0
    return (weight / np.maximum(weight.sum(1, keepdims=True), 1e-12)).astype(np.float32)


def votes(weights: np.ndarray, voters: np.ndarray, label: np.ndarray, num_classes: int) -> np.ndarray:
    """The share of the votes for each class, [n, C] float32.

    Args:
        weights: [n, k], of some rows.
        voters: [n, k] int64, their neighbours.
        label: [N] int64, the class that each sample votes for.
        num_classes: C.
    """
    place = np.arange(len(weights))[:, None] * num_classes + label[voters]
    counted = np.bincount(place.ravel(), weights.ravel(), minlength=len(weights) * num_classes)
    return counted.reshape(len(weights), num_classes).astype(np.float32)
