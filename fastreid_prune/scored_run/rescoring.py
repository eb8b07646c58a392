"""The score that a sample would have under another label."""

import numpy as np

from fastreid_prune.scored_run.injected import InjectedErrors, named_samples
from fastreid_prune.scores.top_classes import too_many, top_classes
from fastreid_prune.trajectory import Trajectory
from fastreid_prune.trajectory.blocks import row_blocks
from fastreid_prune.trajectory.factors import FactoredLogits

# these do not ask what the label is
LABEL_FREE = ("entropy", "random")
_WINDOW = 25


def given_scores(trajectory: Trajectory, method: str, values: np.ndarray) -> np.ndarray:
    """The scores [M] of the data set's samples under the labels that it gives.

    Args:
        trajectory: of a run into which errors may have been injected.
        method: the score's name.
        values: [N] float64, of all rows under the labels trained with.
    """
    injected = InjectedErrors.of(trajectory)
    moved = np.flatnonzero(injected.moved)
    result = np.array(values, np.float64)
    result[moved] = scores_under(trajectory, method, values, moved, injected.label[moved])
    return result[injected.dataset_rows]


def relabelled_scores(
    trajectory: Trajectory, method: str, values: np.ndarray, new_pid: np.ndarray
) -> np.ndarray:
    """The scores with those of relabelled samples as under their new identity.

    Args:
        trajectory: of the run.
        method: the score's name.
        values: [M + U] float64, of the data set's samples and of U others, which stay as they are.
        new_pid: [M + U] str, the new identity, "" where there is none.
    """
    injected = InjectedErrors.of(trajectory)
    dataset_rows = np.flatnonzero(injected.dataset_rows)
    classes = {pid: index for index, pid in enumerate(named_samples(trajectory).class_names)}
    new = np.array([classes.get(pid, -1) for pid in new_pid[: len(dataset_rows)]])
    all_rows = np.full(trajectory.num_samples, np.nan)
    all_rows[dataset_rows] = values[: len(dataset_rows)]
    all_rows[injected.moved] = np.nan
    changed = np.flatnonzero(new >= 0)
    result = np.array(values, np.float64)
    if method not in LABEL_FREE and len(changed):
        result[changed] = scores_under(trajectory, method, all_rows, dataset_rows[changed], new[changed])
    return result


def scores_under(
    trajectory: Trajectory, method: str, values: np.ndarray, rows: np.ndarray, label: np.ndarray
) -> np.ndarray:
    """The scores of ``rows`` as if they were labelled ``label``.

    Entropy and random stay. The records of the others were made under the label trained with; under another
    one a sample is given the score that is usual (the median of 25) among the samples whose given class is as
    far ahead in the mean logits as the new class is in its.

    Args:
        trajectory: of the run.
        method: the score's name.
        values: [N] float64, the scores of all samples.
        rows: [n] int64.
        label: [n] int64, their other classes.

    Returns:
        [n] float64.
    """
    values = np.asarray(values, np.float64)
    if method in LABEL_FREE or not len(rows):
        return values[rows]
    wanted = np.asarray(trajectory.labels).copy()
    ahead = _ahead(trajectory, wanted)
    wanted[rows] = label
    new = _ahead(trajectory, wanted)[rows]
    known = np.isfinite(ahead) & np.isfinite(values)
    known[rows] = False
    order = np.flatnonzero(known)[np.argsort(ahead[known], kind="stable")]
    if not len(order):
        return values[rows]
    place = np.searchsorted(ahead[order], new)
    start = np.clip(place - _WINDOW // 2, 0, max(0, len(order) - _WINDOW))
    window = np.minimum(start[:, None] + np.arange(min(_WINDOW, len(order))), len(order) - 1)
    return np.median(values[order[window]], axis=1)


def _ahead(trajectory: Trajectory, label: np.ndarray) -> np.ndarray:
    """[N] the mean logit of ``label`` minus the highest of any other class."""
    logits = trajectory.mean_logits
    if isinstance(logits, FactoredLogits) and too_many(logits):
        top = top_classes(logits)
        other = np.where(top.classes[:, 0] == label, top.logits[:, 1], top.logits[:, 0])
        return (logits.at(np.arange(len(label)), label[:, None])[:, 0] - other).astype(float)
    result = np.full(len(label), np.nan)
    for rows, values in row_blocks(logits):
        block, place = np.array(values), np.arange(len(values))
        target = block[place, label[rows]].copy()
        block[place, label[rows]] = -np.inf
        result[rows] = target - block.max(1)
    return result
