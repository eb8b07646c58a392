"""The closest gallery rows of each query: faiss finds candidates, exact similarities put them in order."""

import numpy as np
import torch

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.evaluation.device_counting import DeviceFeatures
from fastreid_prune.evaluation.knn import backend, knn
from fastreid_prune.evaluation.similarity import PAIR_VALUES, Similarity
from fastreid_prune.evaluation.threads import over_slices

CHUNK_BYTES = 1 << 26
GPU_CHUNK_BYTES = 1 << 29
SPARE = 8


def nearest(
    query_features: np.ndarray, gallery_features: np.ndarray, k: int, metric: str = "cosine"
) -> tuple[np.ndarray, np.ndarray]:
    """The ``k`` closest gallery rows of each query, closest first; of equally close ones the lower row first.

    The result is that of a full, stable sort by exact distance, on every machine. Candidates are found in float32,
    piece by piece of the gallery, by what :func:`.knn.backend` names: faiss, or torch on a GPU that faiss cannot use.

    Args:
        query_features: [Q, D] finite floats.
        gallery_features: [G, D] finite floats.
        k: how many; at most G are returned.
        metric: "cosine" or "euclidean".

    Returns:
        Rows [Q, min(k, G)] int64, and distances [Q, min(k, G)] float64: 1 - cosine, or squared Euclidean.

    Raises:
        FastreidPruneError: arrays that do not fit, ``k`` below 1, or faiss is not installed.

    Example:
        >>> rows, distances = nearest(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0], [2.0, 0.0]]), 2)
        >>> rows.tolist(), distances.round(3).tolist()
        ([[1, 0]], [[0.0, 1.0]])
    """
    if k < 1:
        raise FastreidPruneError(f"k: expected 1 or more, found {k}.")
    return ranked(Similarity(query_features, gallery_features, metric), k)


def ranked(similarity: Similarity, k: int) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`nearest`, of features that are already checked."""
    num_queries, num_gallery = len(similarity.query), len(similarity.gallery)
    k, count = min(k, num_gallery), min(k + SPARE, num_gallery)
    rows = np.empty((num_queries, k), dtype=np.int64)
    distances = np.empty((num_queries, k))
    features = DeviceFeatures(similarity, torch.device("cuda")) if _fits_gpu(similarity) else None
    chunk = CHUNK_BYTES if features is None else GPU_CHUNK_BYTES
    step = max(1, chunk // (4 * max(similarity.width, 16 * count)))
    for first in range(0, num_queries, step):
        part = slice(first, min(first + step, num_queries))
        candidates, farthest = _candidates(similarity, part, count, chunk)
        exact = _distances(similarity, part, candidates, features)
        order = np.lexsort((candidates, exact))[:, :k]
        rows[part] = np.take_along_axis(candidates, order, axis=1)
        distances[part] = np.take_along_axis(exact, order, axis=1)
        if count < num_gallery:
            unsure = (
                distances[part, -1]
                >= farthest - similarity.error(part, slice(None), similarity.width) * similarity.scale**2
            )
            for query in (first + np.flatnonzero(unsure)).tolist():
                rows[query], distances[query] = _ranked_in_full(similarity, query, k)
    return rows, distances


def _fits_gpu(similarity: Similarity) -> bool:
    return similarity.is_exact and backend().on_gpu


def _distances(
    similarity: Similarity, part: slice, candidates: np.ndarray, features: DeviceFeatures | None
) -> np.ndarray:
    """Exact distances [n, count] of the queries of ``part`` to their candidates; on the features' device if given."""
    grid = similarity.query_grid(part)
    if features is not None:
        query = np.repeat(np.arange(len(candidates)), candidates.shape[1])
        scores = features.pairs_of(features.query(part), query, candidates.ravel()).cpu().numpy()
        return similarity.distances(similarity.own(grid)[:, None], scores.reshape(candidates.shape))
    step = max(1, PAIR_VALUES // (similarity.width * candidates.shape[1]))

    def score(rows: slice) -> np.ndarray:
        queries = np.repeat(grid[rows], candidates.shape[1], axis=0)
        return similarity.exact_pairs(queries, candidates[rows].ravel())

    exact = np.concatenate(list(over_slices(score, len(candidates), step))).reshape(candidates.shape)
    return similarity.distances(similarity.own(grid)[:, None], exact)


def _candidates(similarity: Similarity, part: slice, count: int, chunk: int) -> tuple[np.ndarray, np.ndarray]:
    """Gallery rows [n, count] in no certain order, and the float32 distance [n] of the farthest.

    What is not proposed is at least as far, give or take the error of float32.
    """
    query = similarity.query_float32(part)
    num_gallery = len(similarity.gallery)
    distances = np.empty((len(query), 0), dtype=np.float32)
    rows = np.empty((len(query), 0), dtype=np.int64)
    step = max(count, chunk // (8 * similarity.width))
    for first in range(0, num_gallery, step):
        gallery, factors = similarity.gallery_float32(slice(first, first + step))
        gallery = gallery * factors[:, None]
        found, local = knn(query, gallery, min(count, len(gallery)), similarity.cosine)
        found = 1 - found if similarity.cosine else found
        distances, rows = np.hstack([distances, found]), np.hstack([rows, local + first])
        if distances.shape[1] > count:
            kept = np.argpartition(distances, count - 1, axis=1)[:, :count]
            distances = np.take_along_axis(distances, kept, axis=1)
            rows = np.take_along_axis(rows, kept, axis=1)
    return rows, distances.max(axis=1).astype(np.float64) * similarity.scale**2


def _ranked_in_full(similarity: Similarity, query: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    grid = similarity.query_grid(slice(query, query + 1))
    step = max(1, CHUNK_BYTES // (8 * similarity.width))
    exact = np.concatenate(
        [
            similarity.exact(grid, similarity.gallery_grid(slice(first, first + step)))
            for first in range(0, len(similarity.gallery), step)
        ],
        axis=1,
    )
    order = np.argsort(-exact[0], kind="stable")[:k]
    return order, similarity.distances(similarity.own(grid), exact[0, order])
