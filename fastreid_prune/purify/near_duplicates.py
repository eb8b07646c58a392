"""Which clean samples show what another of their identity shows: no error, and one of them is enough."""

import numpy as np

from fastreid_prune.purify.soft_labels import soft_label_summary
from fastreid_prune.selection.blocks import LARGEST, identity_blocks
from fastreid_prune.selection.collapse import collapse
from fastreid_prune.selection.regime import NEAR, is_near, usual_distance
from fastreid_prune.trajectory import Trajectory
from fastreid_prune.trajectory.blocks import release_pages, row_slices


def near_duplicates(
    trajectory: Trajectory, label: np.ndarray, candidates: np.ndarray
) -> list[tuple[int, int, float]]:
    """Samples that can go while each leaves a near-duplicate of its identity behind, as the regime counts them.

    Of a pair the one with the lower entropy is named.

    Args:
        trajectory: with features.
        label: [N] int64, the class of each sample.
        candidates: [N] bool, samples that are seen and judged clean.

    Returns:
        (row, the row of the one that stays, cosine similarity), the closest pair first.
    """
    features = np.asarray(trajectory.features, np.float32)
    known = [
        np.isfinite(features[part]).all(axis=1) for part in row_slices(len(features), 4 * features.shape[1])
    ]
    candidates = candidates & np.concatenate(known)
    entropy = soft_label_summary(trajectory).entropy
    names = (
        trajectory.samples.file_name if trajectory.samples is not None else np.arange(len(label)).astype(str)
    )
    usual = usual_distance(features, label, candidates)
    collapsed = collapse(features, label, entropy, _with_near(features, label, candidates, usual), names)
    release_pages(trajectory.features)
    near = is_near(collapsed, usual)
    columns = (collapsed.rows[near], collapsed.partner[near], collapsed.similarity[near])
    return [
        (int(row), int(partner), float(similarity)) for row, partner, similarity in zip(*columns, strict=True)
    ]


def _with_near(features: np.ndarray, label: np.ndarray, candidates: np.ndarray, usual: float) -> np.ndarray:
    """[N] bool: candidates that have a near-duplicate at all; the others need not be compared pair by pair."""
    result = np.zeros(len(label), bool)
    for rows, vectors in identity_blocks(features, label, np.flatnonzero(candidates), LARGEST):
        similar = vectors @ vectors.T
        np.fill_diagonal(similar, -1.0)
        result[rows] = 1 - similar.max(axis=1, initial=-1.0) < NEAR * usual
    return result
