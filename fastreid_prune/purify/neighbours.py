"""Who is nearest to whom, and what neighbours say of a sample's identity."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastreid_prune.evaluation.inverted_lists import LISTS_ASKED, Partition, is_exact, knn_in_lists, recall
from fastreid_prune.evaluation.knn import knn
from fastreid_prune.io.bars import bar
from fastreid_prune.io.files import written_whole
from fastreid_prune.trajectory import Trajectory
from fastreid_prune.trajectory.factors import FactoredLogits

_QUERIES = 4096


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


def folder_between(trajectory: Trajectory) -> Path | None:
    """Where a large run keeps what judging finds on its way; None where it has no factors on disk."""
    logits = trajectory.mean_logits
    return (
        logits.folders[0].parent / "judging"
        if isinstance(logits, FactoredLogits) and logits.folders
        else None
    )


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
    keep_in: Path | None = None,
    measure: bool = True,
) -> Neighbours:
    """The ``k`` nearest of the candidates, itself left out, of some samples.

    Beyond :data:`.inverted_lists.EXACT_ROWS` candidates on a processor they are looked for in lists. That takes
    minutes, so what is found is kept: a later call with the same arguments reads it.

    Args:
        features: [N, D] float32, of length 1; not NaN.
        candidates: [N] bool, the samples that may be a neighbour.
        k: how many; at least 1.
        rows: [n] int64, whose neighbours are asked for.
        lists: [N, P], of :func:`lists_of`, where they are known already, of these features or much the same.
        keep_in: a folder for what takes minutes; None keeps nothing.
        measure: the recall.
    """
    if keep_in is None or is_exact(int(candidates.sum())):
        return _nearest(features, candidates, k, rows, lists, measure)
    digest = hashlib.blake2b(repr((k, features.shape, LISTS_ASKED)).encode(), digest_size=12)
    for array in (features, candidates, rows):
        digest.update(np.ascontiguousarray(array).data)
    path = keep_in / f"neighbours-{digest.hexdigest()}.npz"
    if path.is_file():
        with np.load(path, allow_pickle=False) as kept:
            return Neighbours(kept["index"], kept["similarity"], float(kept["recall"]))
    found = _nearest(features, candidates, k, rows, lists, measure)
    with written_whole(path) as part, open(part, "wb") as file:
        np.savez(file, **vars(found))
    return found


def _nearest(
    features: np.ndarray,
    candidates: np.ndarray,
    k: int,
    rows: np.ndarray,
    lists: np.ndarray | None,
    measure: bool,
) -> Neighbours:
    pool_rows = np.flatnonzero(candidates)
    pool = np.ascontiguousarray(features[pool_rows])
    depth = min(k + 1, len(pool_rows))
    index = np.full((len(rows), k), -1, np.int64)
    similarity = np.full((len(rows), k), -1.0, np.float32)
    if lists is None:
        lists = lists_of(features, candidates)
    share = 1.0 if lists is None else np.nan
    queries = _QUERIES if lists is None else max(_QUERIES, len(rows) // 4 + 1)
    with bar("looking for neighbours", len(rows), shown=len(rows) > _QUERIES) as advance:
        for start in range(0, len(rows), queries):
            part = slice(start, start + queries)
            some = rows[part]
            if lists is None:
                near, found = knn(features[some], pool, depth)
            else:
                near, found = knn_in_lists(features[some], pool, depth, lists[some], lists[pool_rows, 0])
                if measure and not start:
                    share = recall(features[some], pool, found)
            found = np.where(found >= 0, pool_rows[found], -1)
            index[part], similarity[part] = _without_itself(near, found, some, k)
            advance(len(some))
    return Neighbours(index, similarity, share)


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
