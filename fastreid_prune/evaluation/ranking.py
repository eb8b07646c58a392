"""Rank-k, mAP and mINP of a retrieval: the public face of this package."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.evaluation.counting import count_ahead
from fastreid_prune.evaluation.matches import Matches, check_labels
from fastreid_prune.evaluation.similarity import Similarity

LONGEST_CMC = 50


@dataclass(frozen=True)
class Ranking:
    """How well queries find their identity in a gallery. Fractions in [0, 1].

    Attributes:
        cmc: [at least 50] float64; ``cmc[k - 1]`` is Rank-k, the fraction of queries with a match in the
            first k.
        mAP: mean over queries of the average precision.
        mINP: mean over queries of P / (rank of the last of the P matches).
        average_precisions: [V] float64, one for each evaluated query.
        inverse_penalties: [V] float64, the terms of mINP.
        first_ranks: [V] int64, 1-based rank of the first match.
        evaluated: [V] int64, the query's row number for each of the above.
        num_queries: Q, all queries.
        num_skipped: Q - V, queries that no gallery row matches.
        ranks: the k that ``summary`` reports.
    """

    cmc: np.ndarray
    mAP: float
    mINP: float
    average_precisions: np.ndarray = field(repr=False)
    inverse_penalties: np.ndarray = field(repr=False)
    first_ranks: np.ndarray = field(repr=False)
    evaluated: np.ndarray = field(repr=False)
    num_queries: int
    num_skipped: int
    ranks: tuple[int, ...] = (1, 5, 10)

    def rank(self, k: int) -> float:
        """Rank-k, for any k >= 1."""
        return float(np.mean(self.first_ranks <= k)) if k > len(self.cmc) else float(self.cmc[k - 1])

    def summary(self) -> dict[str, float]:
        """``{"Rank-1": ..., "mAP": ..., "mINP": ..., "metric": ...}``, the last being (Rank-1 + mAP) / 2."""
        named = {f"Rank-{k}": self.rank(k) for k in self.ranks}
        return {**named, "mAP": self.mAP, "mINP": self.mINP, "metric": (self.mAP + self.rank(1)) / 2}


def evaluate_ranking(
    query_features: np.ndarray,
    gallery_features: np.ndarray,
    query_ids: np.ndarray,
    gallery_ids: np.ndarray,
    query_cams: np.ndarray,
    gallery_cams: np.ndarray,
    metric: str = "cosine",
    ranks: Sequence[int] = (1, 5, 10),
) -> Ranking:
    """Rank the gallery for each query and measure where the right identity comes.

    Gallery rows with the query's identity and camera are dropped, and so are those with identity -1 (junk);
    queries left without a match are skipped and counted (Zheng et al., Scalable Person Re-identification: A
    Benchmark, ICCV 2015). Average precision is the mean over the P matches of k / (rank of the k-th); mINP is
    that of Ye et al., TPAMI 2021, equation 8.

    Ties: a wrong row as similar as a right one is ranked ahead of it. Similarities are compared exactly, so
    the result depends neither on the order of the rows nor on blocks, threads or the BLAS library.

    Args:
        query_features: [Q, D] float16, float32 or float64, finite; any memory layout; a tensor is as good.
        gallery_features: [G, D].
        query_ids: [Q] integers or strings.
        gallery_ids: [G].
        query_cams: [Q] integers or strings.
        gallery_cams: [G].
        metric: "cosine" or "euclidean".
        ranks: the k of Rank-k in the summary.

    Returns:
        The ``Ranking``.

    Raises:
        FastreidPruneError: arrays that do not fit together, values that are not finite (the row is named), or
            no query with a match.
    """
    ranks = tuple(int(k) for k in ranks)
    if not ranks or min(ranks) < 1:
        raise FastreidPruneError(f"ranks: expected whole numbers from 1, found {ranks}.")
    similarity = Similarity(query_features, gallery_features, metric)
    query, gallery = similarity.query, similarity.gallery
    matches = Matches(
        check_labels(query_ids, "query_ids", "query_features", len(query)),
        check_labels(gallery_ids, "gallery_ids", "gallery_features", len(gallery)),
        check_labels(query_cams, "query_cams", "query_features", len(query)),
        check_labels(gallery_cams, "gallery_cams", "gallery_features", len(gallery)),
    )
    blocks = [_per_query(*block) for block in count_ahead(similarity, matches)]
    evaluated, first_ranks, precisions, penalties = (
        np.concatenate(parts) for parts in zip(*blocks, strict=True)
    )
    if not len(evaluated):
        raise FastreidPruneError(
            f"None of the {len(query)} queries has its identity in the gallery under another camera: nothing "
            "to measure. Are the identities of both sides numbered alike, and do the cameras differ?"
        )
    longest = max(LONGEST_CMC, *ranks)
    found = np.bincount(np.minimum(first_ranks, longest + 1), minlength=longest + 2)[1:-1]
    return Ranking(
        cmc=np.cumsum(found) / len(evaluated),
        mAP=float(precisions.mean()),
        mINP=float(penalties.mean()),
        average_precisions=precisions,
        inverse_penalties=penalties,
        first_ranks=first_ranks,
        evaluated=evaluated,
        num_queries=len(query),
        num_skipped=len(query) - len(evaluated),
        ranks=ranks,
    )


def _per_query(
    query: np.ndarray, score: np.ndarray, ahead: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The queries [V] that have a match, their first ranks, average precisions and inverse penalties."""
    order = np.lexsort((-score, query))
    evaluated, first, count = np.unique(query, return_index=True, return_counts=True)
    if not len(evaluated):
        return evaluated, evaluated, score, score
    position = np.arange(len(query)) - np.repeat(first, count) + 1
    rank = position + ahead[order]
    precisions = np.add.reduceat(position / rank, first) / count
    return evaluated, rank[first], precisions, count / rank[first + count - 1]
