"""The images that a suspect is compared with: examples of identities, neighbours from other cameras."""

from collections.abc import Iterable

import numpy as np

from fastreid_prune.evaluation import nearest
from fastreid_prune.scored_run.features import Features

EXAMPLES = 4


def examples(
    labels: np.ndarray,
    cameras: np.ndarray,
    certainty: np.ndarray,
    doubtful: np.ndarray,
    classes: Iterable[int],
    count: int = EXAMPLES,
) -> dict[int, list[int]]:
    """Typical samples of identities: those the soft label is surest of, one camera after another.

    Args:
        labels: [N] int64, the given classes.
        cameras: [N] str.
        certainty: [N] float, the soft label's probability of the given class.
        doubtful: [N] bool, samples that are suspects themselves: only where an identity has no others.
        classes: which identities.
        count: how many of each, at most.

    Returns:
        class -> rows, the most typical first.
    """
    order = np.argsort(labels, kind="stable")
    sorted_labels = labels[order]
    chosen = {}
    for label in sorted(set(classes)):
        low, high = np.searchsorted(sorted_labels, [label, label + 1])
        rows = order[low:high]
        trusted = rows[~doubtful[rows]]
        rows = trusted if len(trusted) else rows
        rows = rows[np.argsort(-np.nan_to_num(certainty[rows], nan=-1.0), kind="stable")]
        seen: dict[str, int] = {}
        turn = []
        for row in rows:
            turn.append(seen.setdefault(cameras[row], 0))
            seen[cameras[row]] += 1
        chosen[label] = rows[np.argsort(turn, kind="stable")][:count].tolist()
    return chosen


def other_camera_neighbours(
    features: Features, cameras: np.ndarray, rows: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """The closest samples of each of ``rows`` among those of other cameras, closest first.

    Args:
        features: [N, D] finite floats; may be a memory map.
        cameras: [N] str.
        rows: [Q] int64.
        count: K, how many.

    Returns:
        Neighbours [Q, K] int64, -1 where there are fewer, and their cosine similarities [Q, K], NaN there.
    """
    found = np.full((len(rows), 0), -1, np.int64)
    similarity = np.full((len(rows), 0), np.nan)
    for camera in sorted(set(cameras.tolist())):
        asking = cameras[rows] != camera
        if not asking.any():
            continue
        gallery = np.flatnonzero(cameras == camera)
        part, distance = nearest(features[rows[asking]], features[gallery], count)
        more = np.full((len(rows), part.shape[1]), -1, np.int64)
        near = np.full(more.shape, np.nan)
        more[asking], near[asking] = gallery[part], 1 - distance
        found, similarity = np.hstack([found, more]), np.hstack([similarity, near])
        order = np.argsort(-np.nan_to_num(similarity, nan=-2.0), axis=1, kind="stable")[:, :count]
        found = np.take_along_axis(found, order, axis=1)
        similarity = np.take_along_axis(similarity, order, axis=1)
    return found, similarity
