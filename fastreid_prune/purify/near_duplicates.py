"""Which clean samples show what another of their identity shows: no error, and one of them is enough."""

import numpy as np

from fastreid_prune.purify.soft_labels import soft_label_summary
from fastreid_prune.selection.near_copies import collapse
from fastreid_prune.selection.regime import is_near, usual_distance
from fastreid_prune.trajectory import Trajectory


def near_duplicates(
    trajectory: Trajectory, label: np.ndarray, candidates: np.ndarray
) -> list[tuple[int, int, float]]:
    """Samples that can go while each leaves a near-copy of its identity behind, as the regime counts them.

    Of a pair the one with the lower entropy is named.

    Args:
        trajectory: with features.
        label: [N] int64, the class of each sample.
        candidates: [N] bool, samples that are seen and judged clean.

    Returns:
        (row, the row of the one that stays, cosine similarity), the closest pair first.
    """
    features = np.asarray(trajectory.features, np.float32)
    candidates = candidates & np.isfinite(features).all(axis=1)
    entropy = soft_label_summary(trajectory).entropy
    names = (
        trajectory.samples.file_name if trajectory.samples is not None else np.arange(len(label)).astype(str)
    )
    collapsed = collapse(features, label, entropy, candidates, names)
    near = is_near(collapsed, usual_distance(features, label, candidates))
    columns = (collapsed.rows[near], collapsed.partner[near], collapsed.similarity[near])
    return [
        (int(row), int(partner), float(similarity)) for row, partner, similarity in zip(*columns, strict=True)
    ]
