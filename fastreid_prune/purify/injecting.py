"""Errors injected into any training loop: how the judge finds them tells what its verdicts are worth there."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.purify.injection_plan import Composed, plan_calibration
from fastreid_prune.scored_run.injected import COMPOSED_FOLDER, record_of
from fastreid_prune.trajectory.samples import Samples


@dataclass(frozen=True, eq=False)
class InjectedLabels:
    """Labels to train a scoring run with, and what was done to them.

    Attributes:
        labels: [N], as they were given, but for those in ``rows``.
        given: [N], the data set's own.
        rows: [M] int64, sorted: the samples to train under another label.
        outliers: K synthetic outliers, which follow the N samples; see :class:`.IndexedDataset`.
        outlier_labels: [K], what these are trained under.
    """

    labels: np.ndarray
    given: np.ndarray
    rows: np.ndarray
    outliers: tuple[Composed, ...] = ()
    outlier_labels: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.labels)

    def trained(self, samples: Samples) -> tuple[Samples, dict[str, Any]]:
        """The N + K samples as they are trained, and the record of the injected errors for the run's files.

        Args:
            samples: the N samples under the labels that the data set gives.

        Raises:
            FastreidPruneError: the samples are not those that the labels were made from.
        """
        given = self.given.astype(str)
        if len(samples) != len(given):
            raise FastreidPruneError(
                f"injected: {len(given)} labels were given to inject_label_noise, and there are {len(samples)} samples."
            )
        names: dict[str, str] = {}
        for row, (value, pid) in enumerate(zip(given.tolist(), samples.pid.tolist(), strict=True)):
            if names.setdefault(value, pid) != pid:
                raise FastreidPruneError(
                    f"injected: sample {row} ({samples.file_name[row]}) is named {pid!r}, and other samples with its "
                    f"label {value!r} are named {names[value]!r}. Give inject_label_noise the labels of these samples."
                )
        pid = samples.pid.copy()
        pid[self.rows] = [names[value] for value in self.labels[self.rows].astype(str).tolist()]
        kinds = {f"{COMPOSED_FOLDER}/{one.kind}_{k:05}.png": one.kind for k, one in enumerate(self.outliers)}
        added = [names[value] for value in self.outlier_labels.astype(str).tolist()]
        cameras = [samples.camid[one.first] for one in self.outliers]
        record = record_of(
            samples.file_name.tolist(), {row: samples.pid[row] for row in self.rows.tolist()}, kinds
        )
        everybody = Samples.from_items(
            [*samples.file_name, *kinds], [*pid, *added], [*samples.camid, *cameras],
            samples.class_names if samples.order_is_given else None,
        )  # fmt: skip
        return everybody, record


def inject_label_noise(
    labels: Any, share: float = 0.02, seed: int = 0, *, outliers: float = 0.0
) -> InjectedLabels:
    """Labels to train a scoring run with, some of them wrong on purpose.

    Hand the result to :meth:`.ScoredRun.from_recorder`: the run's samples keep the labels that you gave, and how the
    judge finds the injected errors tells what its verdicts are worth on your data.

    Args:
        labels: [N], class numbers or class names (a list, an array or a tensor), in the data set's order.
        share: of the samples to train under a random other label; at least as many as tell something, but at most a
            tenth. Every class keeps two samples of its own.
        seed: of the choice.
        outliers: synthetic outliers to add, as a share of the samples; for images, with :class:`.IndexedDataset`.

    Raises:
        FastreidPruneError: a share out of [0, 0.5], or fewer than three classes.

    >>> injected = inject_label_noise([0, 1, 2] * 100)
    >>> len(injected.rows), bool((injected.labels[injected.rows] == injected.given[injected.rows]).any())
    (30, False)
    """
    given = np.array(labels.tolist() if hasattr(labels, "tolist") else list(labels))
    if given.ndim != 1 or given.dtype.kind not in "iuUO":
        raise FastreidPruneError(
            f"labels: shape {list(given.shape)} of {given.dtype} found, [N] class numbers or class names expected."
        )
    value_of = {str(value): value for value in given.tolist()}
    plan = plan_calibration(
        given.astype(str).astype(object), switched=share, composed=outliers, clips=0.0, seed=seed
    )
    noisy = given.copy()
    for row, name in plan.switched.items():
        noisy[row] = value_of[name]
    under = np.array([value_of[one.pid] for one in plan.composed], given.dtype)
    return InjectedLabels(noisy, given, np.array(sorted(plan.switched), np.int64), plan.composed, under)
