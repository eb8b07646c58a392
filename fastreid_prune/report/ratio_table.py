"""What each ratio would cut, and who loses by it."""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.selection import hardest_first, pruned_count

RATIOS = tuple(round(0.05 * step, 2) for step in range(19))
# identity-balanced sampling takes this many images of an identity into a batch (fastreid's NUM_INSTANCE)
FEW = 4


@dataclass(frozen=True)
class Cuts:
    """For each of R ratios, with the plain ranking.

    Attributes:
        ratio: [R].
        threshold: [R] float64, samples that score below it are pruned; NaN where none is.
        kept: [R] int64.
        lost: [R] int64, identities of which no sample stays.
        few: [R] int64, identities of which 1 to FEW - 1 stay.
        suspects: [R] int64, suspects among those kept.
        cameras: names [K]; camera_total: [K]; camera_kept: [R, K].
        hit: [R] lists of (class, samples, kept): the identities that lose the largest share.
    """

    ratio: np.ndarray
    threshold: np.ndarray
    kept: np.ndarray
    lost: np.ndarray
    few: np.ndarray
    suspects: np.ndarray
    cameras: list[str]
    camera_total: np.ndarray
    camera_kept: np.ndarray
    hit: list[list[tuple[int, int, int]]]


def cuts(
    scores: np.ndarray,
    file_names: np.ndarray,
    labels: np.ndarray,
    cameras: np.ndarray,
    suspect: np.ndarray,
    ratios: tuple[float, ...] = RATIOS,
    shown: int = 10,
) -> Cuts:
    """Prune at each ratio and count. Samples without a score (NaN) are left out.

    Args:
        scores: [N] float, higher = more worth keeping.
        file_names: [N] str, break ties as :func:`fastreid_prune.selection.select` does.
        labels: [N] int64.
        cameras: [N] str.
        suspect: [N] bool.
        ratios: fractions in [0, 1).
        shown: how many identities to name for each ratio.
    """
    order = hardest_first(scores, file_names)
    order = order[np.isfinite(scores[order])]
    names, camera = np.unique(cameras[order].astype(str), return_inverse=True)
    classes, identity = np.unique(labels[order], return_inverse=True)
    total = np.bincount(identity)
    camera_kept, hit, columns = [], [], []
    for ratio in ratios:
        kept = len(order) - pruned_count(len(order), ratio)
        left = np.bincount(identity[:kept], minlength=len(classes))
        cut = 1 - left / total
        worst = np.lexsort((classes, -total, -cut))[:shown]
        hit.append([(int(classes[i]), int(total[i]), int(left[i])) for i in worst if cut[i] > 0])
        camera_kept.append(np.bincount(camera[:kept], minlength=len(names)))
        threshold = scores[order[kept - 1]] if kept < len(order) else np.nan
        few = int(((left > 0) & (left < FEW)).sum())
        columns.append((threshold, kept, int((left == 0).sum()), few, int(suspect[order[:kept]].sum())))
    thresholds, counts, lost, rare, suspects = map(np.array, zip(*columns, strict=True))
    return Cuts(
        np.array(ratios), thresholds, counts, lost, rare, suspects, names.tolist(),
        np.bincount(camera, minlength=len(names)), np.array(camera_kept), hit,
    )  # fmt: skip
