"""Which samples the page shows, and in which order."""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.report.source import Source
from fastreid_prune.scored_run.verdicts import NEAR_DUPLICATE, Verdicts
from fastreid_prune.selection import hardest_first
from fastreid_prune.selection.blocks import identity_blocks


@dataclass(frozen=True)
class Pair:
    """Two samples of one identity that look alike: ``similarity`` is the cosine of their features."""

    row: int
    other: int
    similarity: float


def suspects(source: Source) -> np.ndarray:
    """Rows of the samples that may be wrong, the likeliest first; ties by file name.

    First those judged mislabelled or outliers, by confidence, the images of a clip that was judged as a whole one after
    the other. Then those whose soft label disagrees with the
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
    return _clips_together(found[order], verdicts)


def _clips_together(rows: np.ndarray, verdicts: Verdicts) -> np.ndarray:
    """The rows [n] in their order, but each clip's images where its first one is."""
    clip = np.full(len(verdicts), -1)
    for number, members in enumerate(verdicts.clips):
        clip[members] = number
    place, of = np.arange(len(rows)), clip[rows]
    inside = np.flatnonzero(of >= 0)
    _, first, which = np.unique(of[inside], return_index=True, return_inverse=True)
    place[inside] = inside[first][which.reshape(-1)]
    return rows[np.argsort(place, kind="stable")]


def pages(rows: np.ndarray, verdicts: Verdicts, size: int) -> list[np.ndarray]:
    """The rows [n] in parts of ``size``, and of more where a clip would be cut.

    Args:
        rows: as :func:`suspects` orders them.
        verdicts: of all samples.
        size: of a part, at least 1.
    """
    clip_end = np.arange(len(rows)) + 1
    place = np.full(len(verdicts), -1)
    place[rows] = np.arange(len(rows))
    for members in verdicts.clips:
        places = place[members][place[members] >= 0]
        clip_end[places] = places.max(initial=-1) + 1
    parts, start = [], 0
    while start < len(rows):
        end = int(clip_end[min(start + size, len(rows)) - 1])
        parts.append(rows[start:end])
        start = end
    return parts or [rows]


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
    found, close = [np.empty((0, 2), np.int64)], [np.empty(0, np.float32)]
    for rows, vectors in identity_blocks(features, source.labels, np.arange(len(source.labels))):
        similar = vectors @ vectors.T
        np.fill_diagonal(similar, -1.0)
        partner = similar.argmax(axis=1)
        one = np.flatnonzero((partner[partner] == np.arange(len(rows))) & (np.arange(len(rows)) < partner))
        found.append(np.stack([rows[one], rows[partner[one]]], 1))
        close.append(similar[one, partner[one]])
    pairs, similarity = np.concatenate(found), np.concatenate(close)
    if judged:
        named = (verdict[pairs] == NEAR_DUPLICATE).any(1)
        pairs, similarity = pairs[named], similarity[named]
    # of a pair, the easier sample is named first: the one to drop
    swap = source.scores[pairs[:, 1]] < source.scores[pairs[:, 0]]
    pairs[swap] = pairs[swap][:, ::-1]
    names = source.table.file_name[pairs[:, 0]].astype(str)
    order = np.lexsort((names, -similarity.astype(float)))[:count]
    return [
        Pair(int(a), int(b), float(near))
        for (a, b), near in zip(pairs[order], similarity[order], strict=True)
    ]
