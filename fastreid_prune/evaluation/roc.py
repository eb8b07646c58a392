"""How well one threshold tells pairs of different identities from pairs of the same."""

from collections.abc import Iterator, Sequence

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.evaluation.distances import Distances, over_wrong, query_blocks
from fastreid_prune.evaluation.inputs import check_retrieval
from fastreid_prune.evaluation.matches import Matches
from fastreid_prune.evaluation.rerank import Reranking
from fastreid_prune.evaluation.threads import matrix_products_in_one_thread


def evaluate_roc(
    query_features: np.ndarray,
    gallery_features: np.ndarray,
    query_ids: np.ndarray,
    gallery_ids: np.ndarray,
    query_cams: np.ndarray,
    gallery_cams: np.ndarray,
    metric: str = "cosine",
    fprs: Sequence[float] = (1e-4, 1e-3, 1e-2),
    rerank: Reranking | None = None,
) -> dict[float, float]:
    """True positive rates at given false positive rates, of the rule "further than a threshold: someone else".

    As in fastreid's ``TEST.ROC``: the positives are the pairs of different identities, all queries
    together. At each wanted rate stands the nearest that the data has and that a corner of the curve marks.

    Args:
        query_features ... metric: as for ``evaluate_ranking``.
        fprs: wanted shares of same-identity pairs beyond the threshold.
        rerank: mix the distance with the Jaccard distance first.

    Returns:
        For each of ``fprs`` the share of different-identity pairs at or beyond the threshold, in [0, 1].

    Raises:
        FastreidPruneError: as ``evaluate_ranking``; or there is no pair of different identities.

    Example:
        >>> gallery = np.array([[1.0, 0.1], [0.0, 1.0]])
        >>> evaluate_roc(np.array([[1.0, 0.0]]), gallery, [7], [7, 8], [0], [1, 1], fprs=[1.0])
        {1.0: 1.0}
    """
    similarity, matches = check_retrieval(
        query_features, gallery_features, query_ids, gallery_ids, query_cams, gallery_cams, metric
    )
    distances = Distances(similarity, rerank)
    right = np.sort(np.concatenate(list(_right_distances(distances, matches))))[::-1]
    threshold, count = (array[::-1] for array in np.unique(right, return_counts=True))
    at_or_beyond, beyond = _count_wrong(distances, matches, threshold)
    num_wrong = _num_wrong(matches, len(similarity.query))
    if not len(right) or not num_wrong:
        raise FastreidPruneError("ROC: needs pairs of the same identity and pairs of different ones.")
    corner = _is_corner(count, at_or_beyond, beyond)
    rate = np.concatenate([[0], np.cumsum(count)[corner]]) / len(right)
    true_rate = np.concatenate([[0], at_or_beyond[corner]]) / num_wrong
    return {fpr: float(true_rate[np.argmin(np.abs(rate - fpr))]) for fpr in fprs}


def _right_distances(distances: Distances, matches: Matches) -> Iterator[np.ndarray]:
    for part in query_blocks(len(distances.similarity.query)):
        entries = matches.entries(part)
        yield distances.of(part).pairs(entries.query[entries.right], entries.row[entries.right])


def _count_wrong(
    distances: Distances, matches: Matches, threshold: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How many wrong pairs lie at or beyond each threshold [T], and how many beyond it."""

    def count(tile: np.ndarray) -> np.ndarray:
        flat = np.sort(tile[np.isfinite(tile)])
        return np.stack([len(flat) - np.searchsorted(flat, threshold, side) for side in ("left", "right")])

    total = np.zeros((2, len(threshold)), dtype=np.int64)
    with matrix_products_in_one_thread():
        for part in query_blocks(len(distances.similarity.query)):
            total += over_wrong(count, distances.of(part), matches, matches.entries(part), part)
    return total[0], total[1]


def _num_wrong(matches: Matches, num_queries: int) -> int:
    known = len(matches.gallery_cam) - len(matches.ignored)
    return num_queries * known - int((matches.last - matches.first).sum())


def _is_corner(count: np.ndarray, at_or_beyond: np.ndarray, beyond: np.ndarray) -> np.ndarray:
    """Where scikit-learn's ``roc_curve`` keeps a point: not where the step to it is the step from it.

    Args:
        count: [T] right pairs at each threshold, the farthest first.
        at_or_beyond: [T] wrong pairs.
        beyond: [T] wrong pairs.
    """
    ties = at_or_beyond - beyond
    corner = np.ones(len(count), dtype=bool)
    corner[:-1] = (beyond[1:] > at_or_beyond[:-1]) | (np.diff(count) != 0) | (np.diff(ties) != 0)
    corner[:1] |= beyond[:1] == 0
    return corner
