"""Rank-k, mAP and mINP of a retrieval: the public face of this package."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from rich.console import Console
from rich.progress import Progress

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.evaluation.counting import count_ahead
from fastreid_prune.evaluation.device_counting import count_ahead_on, counting_device
from fastreid_prune.evaluation.distances import Distances, count_ahead_by_distance
from fastreid_prune.evaluation.inputs import check_retrieval
from fastreid_prune.evaluation.rerank import Reranking
from fastreid_prune.evaluation.single_shot import single_shot_ranks

LONGEST_CMC = 50
PROTOCOLS = ("market1501", "veri", "cuhk03")


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
        first_ranks: [V] int64, 1-based rank of the first match ([V, 10] for "cuhk03": one a draw).
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
    *,
    protocol: str = "market1501",
    rerank: Reranking | None = None,
    seed: int = 0,
    device: str = "auto",
    progress: bool = False,
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
        protocol: "market1501" as above. "veri" is the same with the average precision of VeRi's own
            evaluation script, which is that of Market-1501's and Oxford Buildings' (compute_AP): the area
            under straight lines between the points of the precision-recall curve, so that the k-th match
            counts for the mean of k / rank and (k - 1) / (rank - 1), the latter being 1 at rank 1. "cuhk03"
            takes Rank-k over galleries of one random image an identity (10 draws a query), and mAP as
            above.
        rerank: mix the distance with the Jaccard distance of k-reciprocal neighbours first.
        seed: of the draws of "cuhk03".
        device: where the gallery is ranked: "cpu", "cuda" (or "cuda:1"), or "auto", a GPU if there is one. The result
            is the same. (Re-ranked distances are computed by the processor.)
        progress: show a bar on standard error.

    Returns:
        The ``Ranking``.

    Raises:
        FastreidPruneError: arrays that do not fit together, values that are not finite (the row is named), or
            no query with a match.

    Example:
        >>> queries, gallery = np.array([[1.0, 0.0]]), np.array([[0.9, 0.1], [1.0, 0.1], [0.0, 1.0]])
        >>> found = evaluate_ranking(queries, gallery, [7], [7, 8, 7], [0], [1, 1, 1])
        >>> round(float(found.mAP), 3), found.cmc[:3].tolist()
        (0.583, [0.0, 1.0, 1.0])
    """
    if protocol not in PROTOCOLS:
        raise FastreidPruneError(f"protocol: expected one of {', '.join(PROTOCOLS)}, found {protocol!r}.")
    ranks = tuple(int(k) for k in ranks)
    if not ranks or min(ranks) < 1:
        raise FastreidPruneError(f"ranks: expected whole numbers from 1, found {ranks}.")
    similarity, matches = check_retrieval(
        query_features, gallery_features, query_ids, gallery_ids, query_cams, gallery_cams, metric
    )
    distances = Distances(similarity, rerank)
    gpu = counting_device(device)
    if rerank:
        blocks = count_ahead_by_distance(distances, matches)
    else:
        blocks = count_ahead_on(similarity, matches, gpu) if gpu else count_ahead(similarity, matches)
    measured, num_queries = [], len(similarity.query)
    with Progress(console=Console(stderr=True), disable=not progress, transient=True) as bar:
        task = bar.add_task("ranking the gallery", total=num_queries)
        for query, ahead in blocks:
            measured.append(_per_query(query, ahead, trapezoid=protocol == "veri"))
            bar.update(task, completed=int(query[-1]) + 1 if len(query) else None)
    evaluated, first_ranks, precisions, penalties = (
        np.concatenate(parts) for parts in zip(*measured, strict=True)
    )
    if not len(evaluated):
        raise FastreidPruneError(
            f"None of the {num_queries} queries has its identity in the gallery under another camera: nothing "
            "to measure. Are the identities of both sides numbered alike, and do the cameras differ?"
        )
    if protocol == "cuhk03":
        first_ranks = single_shot_ranks(distances, matches, evaluated, seed)
    longest = max(LONGEST_CMC, *ranks)
    found = np.bincount(np.minimum(first_ranks.ravel(), longest + 1), minlength=longest + 2)[1:-1]
    return Ranking(
        cmc=np.cumsum(found) / first_ranks.size,
        mAP=float(precisions.mean()),
        mINP=float(penalties.mean()),
        average_precisions=precisions,
        inverse_penalties=penalties,
        first_ranks=first_ranks,
        evaluated=evaluated,
        num_queries=num_queries,
        num_skipped=num_queries - len(evaluated),
        ranks=ranks,
    )


def _per_query(
    query: np.ndarray, ahead: np.ndarray, trapezoid: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The queries [V] that have a match, their first ranks, average precisions and inverse penalties."""
    evaluated, first, count = np.unique(query, return_index=True, return_counts=True)
    if not len(evaluated):
        return evaluated, evaluated, np.empty(0), np.empty(0)
    # the right rows of a query in the order of their ranks: none has fewer wrong rows ahead than a closer one
    most = int(ahead.max()) + 1
    ahead = np.sort(query * most + ahead) - query * most
    position = np.arange(len(query)) - np.repeat(first, count) + 1
    rank = position + ahead
    precision = position / rank
    if trapezoid:
        before = np.divide(position - 1, rank - 1, where=rank > 1, out=np.ones(len(rank)))
        precision = (precision + before) / 2
    precisions = np.add.reduceat(precision, first) / count
    return evaluated, rank[first], precisions, count / rank[first + count - 1]
