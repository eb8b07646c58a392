"""What was injected into a scored run, row by row, and the run as its data set really is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.trajectory import Samples, Trajectory

# the key in a trajectory's meta, and the folder that composed outliers are said to be in
META_KEY, COMPOSED_FOLDER = "calibration", "planted"


@dataclass(frozen=True)
class InjectedErrors:
    """The injected errors among the N rows of a trajectory.

    Attributes:
        switched: [N] bool, trained under a wrong identity on purpose, each by itself.
        composed: [N] bool, a synthetic outlier: no image of the data set.
        label: [N] int64, the class that the data set gives (of composed rows: that they were trained under).
        clip: [N] int64, the number of the clip that was moved to a wrong identity as a whole; -1 elsewhere.
    """

    switched: np.ndarray
    composed: np.ndarray
    label: np.ndarray
    clip: np.ndarray

    @property
    def moved(self) -> np.ndarray:
        """[N] bool, trained under a wrong identity on purpose, by itself or in a clip."""
        return self.switched | (self.clip >= 0)

    @property
    def dataset_rows(self) -> np.ndarray:
        """[N] bool, the data set's samples, switched ones among them."""
        return ~self.composed

    @classmethod
    def of(cls, trajectory: Trajectory) -> "InjectedErrors":
        """What the trajectory's meta says was injected; nothing where it says nothing.

        Raises:
            FastreidPruneError: the record does not fit the samples.
        """
        count = trajectory.num_samples
        nothing, label = np.zeros(count, bool), np.asarray(trajectory.labels)
        record: dict[str, Any] = trajectory.meta.get(META_KEY) or {}
        if not record or trajectory.samples is None:
            return cls(nothing, nothing, label, np.full(count, -1))
        samples = trajectory.samples
        given: dict[str, str] = record.get("switched", {})
        clip_of = {name: k for k, names in enumerate(record.get("clips", [])) for name in names}
        names = samples.file_name.tolist()
        moved = np.array([name in given for name in names], bool)
        clip = np.array([clip_of.get(name, -1) for name in names], np.int64)
        composed = np.array([name in record.get("composed", {}) for name in names], bool)
        classes = {pid: index for index, pid in enumerate(samples.class_names)}
        unknown = sorted(set(given.values()) - set(classes)) or sorted(set(clip_of) - set(given))
        if unknown or moved.sum() != len(given) or composed.sum() != len(record.get("composed", {})):
            raise FastreidPruneError(
                f"meta.json: the record of injected errors ({len(given)} switched, "
                f"{len(record.get('composed', {}))} composed) does not fit samples.csv "
                f"({moved.sum()} and {composed.sum()} found). The files are not of one run: copy them again."
            )
        label = label.copy()
        label[moved] = [classes[given[name]] for name in samples.file_name[moved]]
        return cls(moved & (clip < 0), composed, label, clip)


def named_samples(trajectory: Trajectory) -> Samples:
    """Who the trajectory's rows are.

    Raises:
        FastreidPruneError: it does not say.
    """
    if trajectory.samples is None:
        raise FastreidPruneError("the trajectory does not name its samples. Give the recorder samples.")
    return trajectory.samples


def given_samples(trajectory: Trajectory) -> Samples:
    """The data set's samples under the identities that it gives, in the trajectory's order."""
    injected = InjectedErrors.of(trajectory)
    samples, rows = named_samples(trajectory), np.flatnonzero(injected.dataset_rows)
    names = np.asarray(samples.class_names, object)
    pid = np.where(injected.moved, names[injected.label], samples.pid)
    return replace(samples, pid=pid, label=injected.label).take(rows)


def record_of(
    names: list[str], given: dict[int, str], composed: dict[str, str], clips: Sequence[Sequence[int]] = ()
) -> dict[str, Any]:
    """What goes into the meta.

    Args:
        names: file name of each of the data set's rows.
        given: row trained under a wrong identity -> the identity that the data set gives.
        composed: name of a composed outlier -> its kind.
        clips: the rows among ``given`` that were moved together.
    """
    return {
        "switched": {names[row]: pid for row, pid in sorted(given.items())},
        "composed": dict(composed),
        "clips": [[names[row] for row in rows] for rows in clips],
    }
