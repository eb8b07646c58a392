"""Which samples the page shows, and in which order."""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.report.source import Source
from fastreid_prune.scored_run.verdicts import NEAR_DUPLICATE
from fastreid_prune.selection import hardest_first


@dataclass(frozen=True)
class Pair:
    """Two samples of one identity that look alike: ``similarity`` is the cosine of their features."""

    row: int
    other: int
    similarity: float


def suspects(source: Source) -> np.ndarray:
    """Rows of the samples that may be wrong, the likeliest first; ties by file name.

    First those judged mislabelled or outliers, by confidence. Then those whose soft label disagrees with the
    given one though nobody judged them wrong: the less sure they are clean the earlier, then by the margin of
    the mean logits.
    """
    verdicts, margin = source.table.verdicts, source.soft.margin
    judged = flagged(source)
    found = np.flatnonzero(judged | (margin > 0))
    confidence = np.nan_to_num(verdicts.confidence[found], nan=0.0)
    name = np.unique(source.table.file_name[found].astype(str), return_inverse=True)[1]
    order = np.lexsort(
        (
            name,
            -np.nan_to_num(margin[found]),
            np.where(judged[found], -confidence, confidence),
            ~judged[found],
        )
    )
    return found[order]


def flagged(source: Source) -> np.ndarray:
    """[N] bool: judged mislabelled or outliers."""
    return source.table.verdicts.mislabelled | source.table.verdicts.outlier


def extremes(source: Source, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the ``count`` hardest samples, hardest first, and of the easiest, easiest first."""
    order = hardest_first(source.scores, source.table.file_name)
    order = order[np.isfinite(source.scores[order])]
    return order[:count], order[::-1][:count]


def near_duplicates(source: Source, count: int) -> list[Pair]:
    """The closest pairs of each other's nearest within an identity, closest first; a sample is in one pair.

    Where near-duplicates were judged, only pairs with one of those. Empty without features.
    """
    features = source.features
    if features is None:
        return []
    verdict = source.table.verdicts.verdict
    judged = bool((verdict == NEAR_DUPLICATE).any())
    order = np.argsort(source.labels, kind="stable")
    pairs = []
    for rows in np.split(order, np.flatnonzero(np.diff(source.labels[order])) + 1):
        if len(rows) < 2:
            continue
        similar = _cosine(np.asarray(features[rows], np.float32))
        partner = similar.argmax(axis=1)
        for i, j in enumerate(partner):
            # of a pair, the easier sample is named first: the one to drop
            mutual = partner[j] == i and i < j
            if mutual and (not judged or NEAR_DUPLICATE in (verdict[rows[i]], verdict[rows[j]])):
                a, b = sorted((int(rows[i]), int(rows[j])), key=lambda row: source.scores[row])
                pairs.append(Pair(a, b, float(similar[i, j])))
    pairs.sort(key=lambda pair: (-pair.similarity, source.table.file_name[pair.row]))
    return pairs[:count]


def _cosine(features: np.ndarray) -> np.ndarray:
    """[n, n] float32 cosine similarities; -1 on the diagonal and where a row has no direction."""
    length = np.linalg.norm(features, axis=1, keepdims=True)
    unit = np.divide(features, length, out=np.zeros_like(features), where=length > 0)
    similar = np.nan_to_num(unit @ unit.T, nan=-1.0)
    np.fill_diagonal(similar, -1.0)
    return similar
