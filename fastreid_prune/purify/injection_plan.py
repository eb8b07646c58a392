"""Errors of our own making in a scoring run: whose labels are switched, and which outliers are composed.

How the judge does on them tells what its verdicts are worth on this data set with this model. A pure function
of the samples and a seed; the plug-in trains as the plan says.
"""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.purify.synthetic_outliers import KINDS

DEFAULT_SWITCHED, DEFAULT_COMPOSED, DEFAULT_CLIPS = 0.02, 0.015, 0.03
# fewer say next to nothing, even on a small data set; but beyond _FEWEST no more than a twentieth of the samples, so
# that a small set is not made a bad one
_LEAST_SWITCHED, _LEAST_COMPOSED, _FEWEST, _MOST_SHARE = 150, 30, 60, 0.05
# what an identity keeps under its own label, so that no identity is lost
_UNTOUCHED = 2
# clips: at least so many of them, so that those found show a precision of 95 %, but never more than this share of the
# images in clips
_LEAST_CLIPS, _MOST_IN_CLIPS = 36, 1 / 15


@dataclass(frozen=True)
class Composed:
    """An outlier made of two training images.

    Attributes:
        kind: one of :data:`.synthetic_outliers.KINDS`.
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
class MovedClip:
    """Images of one identity and camera that are trained under another identity together.

    Attributes:
        rows: of the training set.
        pid: the wrong identity.
    """

    rows: tuple[int, ...]
    pid: str


@dataclass(frozen=True)
class CalibrationPlan:
    """What is planted into one scoring run.

    Attributes:
        switched: row -> the wrong identity that the row is trained under, of single images.
        composed: outliers, appended after the last row of the training set, in this order.
        clips: images that are moved together; none of them is among ``switched``.
    """

    switched: dict[int, str]
    composed: tuple[Composed, ...]
    clips: tuple[MovedClip, ...] = ()

    @property
    def trained_as(self) -> dict[int, str]:
        """Row -> the wrong identity that it is trained under, of single images and clips."""
        return self.switched | {row: clip.pid for clip in self.clips for row in clip.rows}


def plan_calibration(
    pids: np.ndarray,
    camids: np.ndarray | None = None,
    *,
    switched: float = DEFAULT_SWITCHED,
    composed: float = DEFAULT_COMPOSED,
    clips: float = DEFAULT_CLIPS,
    seed: int = 0,
) -> CalibrationPlan:
    """Choose what to plant.

    Labels are switched at random to a random other identity, at least 150 of them, or a twentieth of the samples where
    that is fewer, or 60 (but never more than a tenth); every identity keeps two samples of its own. Outliers are
    composed of random images and labelled at random or, half of them, as what they are partly made of. A clip is all
    of an identity in a camera, or a third of its rows, one after the other, where it has one camera; at least 36 of
    them are moved to a random other identity, one an identity, if that takes no more than a fifteenth of the samples.

    Args:
        pids: [N] str, the given identities.
        camids: [N] str, the cameras; one for all by default.
        switched: the share of samples whose label is switched, in [0, 0.5].
        composed: outliers to add, as a share of the samples, in [0, 0.5].
        clips: the share of samples that are moved in clips, in [0, 0.5].
        seed: of the choice.

    Raises:
        FastreidPruneError: a share is out of range, or there are fewer than three identities.
    """
    for name, share in (("switched", switched), ("composed", composed), ("clips", clips)):
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
    wanted = _count(switched, len(pids), _LEAST_SWITCHED)
    for row in rng.permutation(len(pids)).tolist():
        if len(chosen) == wanted:
            break
        if left[pids[row]] > _UNTOUCHED:
            left[pids[row]] -= 1
            chosen[row] = _other(names, {pids[row]}, rng)
    by_pid = _rows_by_identity(pids)
    outliers = []
    for number in range(_count(composed, len(pids), _LEAST_COMPOSED)):
        first = int(rng.integers(len(pids)))
        second = _another(by_pid[pids[first]], int(rng.integers(len(pids) - len(by_pid[pids[first]]))))
        pid = pids[first] if rng.random() < 0.5 else _other(names, {pids[first], pids[second]}, rng)
        outliers.append(
            Composed(KINDS[number % len(KINDS)], first, second, str(pid), int(rng.integers(2**31)))
        )
    cameras = np.zeros(len(pids), object) if camids is None else np.asarray(camids, object)
    moved = _clips(pids, cameras, clips, left, set(chosen), np.random.default_rng([seed, 5]))
    return CalibrationPlan(chosen, tuple(outliers), moved)


def _clips(
    pids: np.ndarray,
    cameras: np.ndarray,
    share: float,
    left: dict[str, int],
    switched: set[int],
    rng: np.random.Generator,
) -> tuple[MovedClip, ...]:
    """Clips of at least two rows, at most half of what an identity has left, none of it switched."""
    if not share:
        return ()
    names = sorted(left)
    wanted, most = share * len(pids), _MOST_IN_CLIPS * len(pids)
    clips: list[MovedClip] = []
    taken, by_pid = 0, _rows_by_identity(pids)
    for name in rng.permutation(np.array(names, object)).tolist():
        rows = by_pid[name]
        seen = sorted(set(cameras[rows].tolist()), key=str)
        if len(seen) > 1:
            rows = rows[cameras[rows] == seen[rng.integers(len(seen))]]
        else:
            rows = rows[: len(rows) // 3]
        enough = taken >= wanted and len(clips) >= _LEAST_CLIPS
        if enough or not 2 <= len(rows) <= left[name] // 2 or taken + len(rows) > most:
            continue
        if left[name] - len(rows) < _UNTOUCHED or switched & set(rows.tolist()):
            continue
        taken += len(rows)
        clips.append(MovedClip(tuple(rows.tolist()), _other(names, {name}, rng)))
    return tuple(clips)


def _rows_by_identity(pids: np.ndarray) -> dict[str, np.ndarray]:
    """The rows of each identity, rising."""
    names, number = np.unique(pids.astype(str), return_inverse=True)
    order = np.argsort(number, kind="stable")
    rows = np.split(order, np.searchsorted(number[order], np.arange(1, len(names))))
    return dict(zip(names.tolist(), rows, strict=True))


def _another(rows: np.ndarray, number: int) -> int:
    """The row with this number among those that are not in ``rows`` (rising).

    >>> [_another(np.array([1, 2]), number) for number in range(3)]
    [0, 3, 4]
    """
    return number + int(np.searchsorted(rows - np.arange(len(rows)), number, side="right"))


def _count(share: float, samples: int, least: int) -> int:
    """How many to plant where ``share`` of the samples is asked for."""
    if not share:
        return 0
    least = min(least, max(round(_MOST_SHARE * samples), _FEWEST))
    return min(max(round(share * samples), least), samples // 10)


def _other(names: list[str], not_these: set[str], rng: np.random.Generator) -> str:
    while (name := names[rng.integers(len(names))]) in not_these:
        pass
    return name
