"""Errors of our own making in a scoring run: whose labels are switched, and which outliers are composed.

How the judge does on them tells what its verdicts are worth on this data set with this model. A pure function
of the samples and a seed; the plug-in trains as the plan says.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.purify.composing import KINDS

DEFAULT_SWITCHED, DEFAULT_COMPOSED = 0.02, 0.015
# fewer say next to nothing, even on a small data set
_LEAST = 30
# what an identity keeps under its own label, so that planting takes nobody away
_UNTOUCHED = 2


@dataclass(frozen=True)
class Composed:
    """An outlier made of two training images.

    Attributes:
        kind: one of :data:`.composing.KINDS`.
        first, second: rows of the training set that it is made of.
        pid: the identity that it is trained under.
        seed: of the chance in its making.
    """

    kind: str
    first: int
    second: int
    pid: str
    seed: int


@dataclass(frozen=True)
class CalibrationPlan:
    """What is planted into one scoring run.

    Attributes:
        switched: row -> the wrong identity that the row is trained under.
        composed: outliers, appended after the last row of the training set, in this order.
    """

    switched: dict[int, str]
    composed: tuple[Composed, ...]

    def to_json(self) -> dict[str, Any]:
        """The plan as plain values, for a file."""
        return {
            "switched": {str(row): pid for row, pid in sorted(self.switched.items())},
            "composed": [asdict(one) for one in self.composed],
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "CalibrationPlan":
        """The plan that :meth:`to_json` gave.

        Raises:
            FastreidPruneError: the values are not those of a plan.
        """
        try:
            switched = {int(row): str(pid) for row, pid in values["switched"].items()}
            return cls(switched, tuple(Composed(**one) for one in values["composed"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FastreidPruneError(
                f"the record of planted errors is damaged ({type(error).__name__}: {error}). Score again."
            ) from error


def plan_calibration(
    pids: np.ndarray, *, switched: float = DEFAULT_SWITCHED, composed: float = DEFAULT_COMPOSED, seed: int = 0
) -> CalibrationPlan:
    """Choose what to plant.

    Labels are switched at random to a random other identity, at least 30 of them (but never more than a tenth
    of the samples); every identity keeps two samples of its own. Outliers are composed of random images and
    labelled at random or, half of them, as what they are partly made of.

    Args:
        pids: [N] str, the given identities.
        switched: the share of samples whose label is switched, in [0, 0.5].
        composed: outliers to add, as a share of the samples, in [0, 0.5].
        seed: of the choice.

    Raises:
        FastreidPruneError: a share is out of range, or there are fewer than three identities.
    """
    for name, share in (("switched", switched), ("composed", composed)):
        if not 0 <= share <= 0.5:
            raise FastreidPruneError(f"calibration: the share {name} is {share}, expected one in [0, 0.5].")
    pids = np.asarray(pids, object)
    names = sorted(set(pids.tolist()))
    if len(names) < 3:
        raise FastreidPruneError(f"calibration: {len(names)} identities found, at least 3 are needed.")
    rng = np.random.default_rng([seed, 4])
    chosen: dict[int, str] = {}
    left = {
        name: int(count) for name, count in zip(*np.unique(pids.astype(str), return_counts=True), strict=True)
    }
    wanted = _count(switched, len(pids))
    for row in rng.permutation(len(pids)).tolist():
        if len(chosen) == wanted:
            break
        if left[pids[row]] > _UNTOUCHED:
            left[pids[row]] -= 1
            chosen[row] = _other(names, {pids[row]}, rng)
    outliers = []
    for number in range(_count(composed, len(pids))):
        first = int(rng.integers(len(pids)))
        second = int(rng.choice(np.flatnonzero(pids != pids[first])))
        pid = pids[first] if rng.random() < 0.5 else _other(names, {pids[first], pids[second]}, rng)
        outliers.append(
            Composed(KINDS[number % len(KINDS)], first, second, str(pid), int(rng.integers(2**31)))
        )
    return CalibrationPlan(chosen, tuple(outliers))


def _count(share: float, samples: int) -> int:
    return min(max(round(share * samples), _LEAST), samples // 10) if share else 0


def _other(names: list[str], not_these: set[str], rng: np.random.Generator) -> str:
    while (name := names[rng.integers(len(names))]) in not_these:
        pass
    return name
