"""What was planted into a scored run, row by row, and the run as its data set really is."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.trajectory import Samples, Trajectory

# the key in a trajectory's meta, and the folder that composed outliers are said to be in
META_KEY, COMPOSED_FOLDER = "calibration", "planted"


@dataclass(frozen=True)
class InjectedErrors:
    """The planted errors among the N rows of a trajectory.

    Attributes:
        switched: [N] bool, trained under a wrong identity by our doing.
        composed: [N] bool, an outlier of our making: no image of the data set.
        label: [N] int64, the class that the data set gives (of composed rows: that they were trained under).
    """

    switched: np.ndarray
    composed: np.ndarray
    label: np.ndarray

    @property
    def dataset_rows(self) -> np.ndarray:
        """[N] bool, the data set's own samples, switched ones among them."""
        return ~self.composed

    @classmethod
    def of(cls, trajectory: Trajectory) -> "InjectedErrors":
        """What the trajectory's meta says was planted; nothing where it says nothing.

        Raises:
            FastreidPruneError: the record does not fit the samples.
        """
        count = trajectory.num_samples
        nothing, label = np.zeros(count, bool), np.asarray(trajectory.labels)
        record: dict[str, Any] = trajectory.meta.get(META_KEY) or {}
        if not record or trajectory.samples is None:
            return cls(nothing, nothing, label)
        samples = trajectory.samples
        switched: dict[str, str] = record.get("switched", {})
        names = samples.file_name.tolist()
        is_switched = np.array([name in switched for name in names], bool)
        composed = np.array([name in record.get("composed", {}) for name in names], bool)
        classes = {pid: index for index, pid in enumerate(samples.class_names)}
        unknown = sorted(set(switched.values()) - set(classes))
        if unknown or is_switched.sum() != len(switched) or composed.sum() != len(record.get("composed", {})):
            raise FastreidPruneError(
                f"meta.json: the record of planted errors ({len(switched)} switched, "
                f"{len(record.get('composed', {}))} composed) does not fit samples.csv "
                f"({is_switched.sum()} and {composed.sum()} found). The files are not of one run: copy them again."
            )
        label = label.copy()
        label[is_switched] = [classes[switched[name]] for name in samples.file_name[is_switched]]
        return cls(is_switched, composed, label)


def given_samples(trajectory: Trajectory) -> Samples:
    """The data set's own samples under the identities that it gives, in the trajectory's order."""
    planted = InjectedErrors.of(trajectory)
    samples, rows = trajectory.samples, np.flatnonzero(planted.dataset_rows)
    names = np.array([*samples.class_names, None], object)[:-1]
    pid = np.where(planted.switched, names[planted.label], samples.pid)
    given = replace(samples, pid=pid, label=planted.label)
    return Samples(*(getattr(given, name)[rows] for name in ("file_name", "pid", "camid", "label")))


def record_of(names: list[str], given: dict[int, str], composed: dict[str, str]) -> dict[str, Any]:
    """What goes into the meta.

    Args:
        names: file name of each of the data set's rows.
        given: switched row -> the identity that the data set gives.
        composed: name of a composed outlier -> its kind.
    """
    return {"switched": {names[row]: pid for row, pid in sorted(given.items())}, "composed": dict(composed)}
