"""The score that a sample would have under another label."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fastreid_prune.scored_run.injected import InjectedErrors, named_samples
from fastreid_prune.scores.top_classes import too_many, top_classes
from fastreid_prune.trajectory import Trajectory
from fastreid_prune.trajectory.blocks import row_blocks
from fastreid_prune.trajectory.factors import FactoredLogits

# these do not ask what the label is
LABEL_FREE = ("entropy", "random")
_WINDOW = 25


class GivenScores:
    """Turns scores under the labels trained with into those under the labels that the data set gives.

    What it asks of the logits it asks once, whatever the number of methods.

    Args:
        trajectory: of a run into which errors may have been injected.
    """

    def __init__(self, trajectory: Trajectory) -> None:
        self._trajectory, self._injected = trajectory, InjectedErrors.of(trajectory)

    @cached_property
    def _leads(self) -> "Leads":
        moved = np.flatnonzero(self._injected.moved)
        return leads(self._trajectory, moved, self._injected.label[moved])

    def __call__(self, method: str, values: np.ndarray) -> np.ndarray:
        """The scores [M] of the data set's samples, of those of all rows [N]."""
        injected, result = self._injected, np.array(values, np.float64)
        if injected.moved.any() and method not in LABEL_FREE:
            result[injected.moved] = scores_under(self._leads, values)
        return result[injected.dataset_rows]


@dataclass(frozen=True)
class Leads:
    """How far classes are ahead in the mean logits, nats.

    Attributes:
        given: [N] float64, the class trained with.
        rows: [n] int64, the samples in question.
        new: [n] float64, another class of theirs.
    """

    given: np.ndarray
    rows: np.ndarray
    new: np.ndarray


def leads(trajectory: Trajectory, rows: np.ndarray, label: np.ndarray) -> Leads:
    """Of all samples, and of ``rows`` [n] under another label [n]."""
    wanted = np.asarray(trajectory.labels).copy()
    given = _ahead(trajectory, wanted)
    wanted[rows] = label
    return Leads(given, rows, _ahead(trajectory, wanted)[rows])


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
        result[changed] = scores_under(leads(trajectory, dataset_rows[changed], new[changed]), all_rows)
    return result


def scores_under(known: Leads, values: np.ndarray) -> np.ndarray:
    """The scores [n] of ``known.rows`` as if they had the other label.

    The records were made under the label trained with; under another one a sample is given the score that is usual
    (the median of 25) among the samples whose given class is as far ahead in the mean logits as the new class is in
    its.

    Args:
        known: how far classes are ahead.
        values: [N] float64, the scores of all samples.
    """
    values, ahead = np.asarray(values, np.float64), known.given
    there = np.isfinite(ahead) & np.isfinite(values)
    there[known.rows] = False
    order = np.flatnonzero(there)[np.argsort(ahead[there], kind="stable")]
    if not len(order):
        return values[known.rows]
    place = np.searchsorted(ahead[order], known.new)
    start = np.clip(place - _WINDOW // 2, 0, max(0, len(order) - _WINDOW))
    window = np.minimum(start[:, None] + np.arange(min(_WINDOW, len(order))), len(order) - 1)
    return np.median(values[order[window]], axis=1)


def _ahead(trajectory: Trajectory, label: np.ndarray) -> np.ndarray:
    """[N] the mean logit of ``label`` minus the highest of any other class."""
    logits = trajectory.mean_logits
    if isinstance(logits, FactoredLogits) and too_many(logits):
        top = top_classes(trajectory)
        other = np.where(top.classes[:, 0] == label, top.logits[:, 1], top.logits[:, 0])
        return (logits.at(np.arange(len(label)), label[:, None])[:, 0] - other).astype(float)
    result = np.full(len(label), np.nan)
    for rows, values in row_blocks(logits):
        block, place = np.array(values), np.arange(len(values))
        target = block[place, label[rows]].copy()
        block[place, label[rows]] = -np.inf
        result[rows] = target - block.max(1)
    return result
