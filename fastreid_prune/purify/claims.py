"""What one kind of verdict is worth on the data set at hand, as an interval, or why there are no such verdicts.

A claim is made for each kind by itself (names, outliers, in doubt; clips and identities have their own). It is made
at the lowest threshold at which the share of verdicts that are right is estimated to be what was asked for, and at
which the pessimistic end of its interval is not far below that. The interval counts what is unsure about the number
of right labels beyond the threshold (:mod:`.false_alarms`), about the rate of right names among injected wrong labels
(Clopper and Pearson, Biometrika 26, 1934), and the chance that is left where both are known.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any, Protocol

import numpy as np

from fastreid_prune.purify.false_alarms import TAIL_SHARE, FalseAlarms

NAMES, OUTLIERS, IN_DOUBT = ("names", "outliers", "in_doubt")
CLIPS, CLIPS_OUT, CLIPS_IN_DOUBT = ("clips", "clips_out", "clips_in_doubt")
# the pessimistic end may leave this many times the room for error that was asked for (ours); of clips,
# of which few can be moved on purpose, three times
_ROOM, CLIP_ROOM = 2.0, 3.0
# the right labels that may be altered, by expectation: this share of them, and this many for each error (ours)
_RIGHT_ALTERED, _FOR_EACH_ERROR = 0.0025, 0.01
_THRESHOLDS = 120


@dataclass(frozen=True)
class Claim:
    """One kind of verdict: what it is worth, or why there is none.

    Attributes:
        kind: one of :data:`NAMES`, :data:`OUTLIERS`, :data:`IN_DOUBT`, :data:`CLIPS`, :data:`CLIPS_OUT`,
            :data:`CLIPS_IN_DOUBT`.
        asked: the precision asked for, in [0, 1].
        count: verdicts given; 0 where they are refused.
        precision: the share of them that is right, by estimate; None without verdicts.
        low, high: the ends of its interval; nine such intervals of ten hold the truth. The upper end is what would be
            true if no right label had got a verdict, since nothing bounds these from below.
        threshold: the least score (log odds) of a verdict; None where refused.
        threshold_unfit: of names, the least score besides for the label being wrong at all; None elsewhere.
        refused: why there are no verdicts of this kind; empty where the kind is acted on.
        remedy: what would help.
    """

    kind: str
    asked: float
    count: int = 0
    precision: float | None = None
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    threshold_unfit: float | None = None
    refused: str = ""
    remedy: str = ""

    @property
    def stands(self) -> bool:
        """The kind is acted on."""
        return not self.refused

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        values = asdict(self)
        return {key: round(value, 4) if isinstance(value, float) else value for key, value in values.items()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Claim":
        """The claim that :meth:`to_json` gave; what other versions added is left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in values.items() if key in known})


@dataclass(frozen=True)
class Worth:
    """Verdicts beyond one threshold.

    Attributes:
        threshold: the least score.
        count: verdicts.
        precision, low, high: as in :class:`Claim`.
        right_labels: the expected number of them that are flagged wrongly.
    """

    threshold: float
    count: int
    precision: float
    low: float
    high: float
    right_labels: float


def least_low(asked: float, room: float = _ROOM) -> float:
    """How low the pessimistic end of an interval may be where ``asked`` is asked for.

    >>> round(least_low(0.95), 4), round(least_low(0.5), 4)
    (0.9, 0.0)
    """
    return max(1 - room * (1 - asked), 0.0)


def most_right_altered(labels: int, errors: float, for_each_error: float = _FOR_EACH_ERROR) -> float:
    """How many right labels may be altered, by expectation, among so many labels of which so many are wrong.

    A clean set loses next to nothing, whatever the claims say; where errors abound, sparing the last right label would
    keep too many of them.

    >>> round(most_right_altered(10_000, 0), 1), round(most_right_altered(10_000, 2_000), 1)
    (25.0, 40.0)
    """
    return _RIGHT_ALTERED * (labels - errors) + for_each_error * errors


class Candidates(Protocol):
    """Samples that a kind of verdict may be given to, the more surely the higher their score."""

    def thresholds(self) -> np.ndarray:
        """Scores from which verdicts could be given, falling."""

    def count(self, threshold: float) -> int:
        """Verdicts from this score on."""

    def right_labels(self, threshold: float) -> np.ndarray:
        """[draws], expected right labels among them."""

    def wrong_names(self, threshold: float) -> np.ndarray:
        """[draws], expected errors among them whose verdict is wrong all the same; 0 where it names nobody."""

    def names(self, threshold: float) -> tuple[float, float] | None:
        """Injected wrong labels found, expected, and right names among them; None where verdicts name nobody."""


@dataclass(frozen=True)
class Beyond:
    """Verdicts that name nobody, of samples with a score in [threshold, below).

    Attributes:
        score: [n] float64, of those who may get a verdict.
        alarms: the right labels among all.
        below: no verdicts from here on.
    """

    score: np.ndarray
    alarms: FalseAlarms
    below: float = np.inf

    def thresholds(self) -> np.ndarray:
        """See :class:`Candidates`."""
        inside = (self.score >= self.alarms.start) & (self.score < self.below)
        return np.unique(self.score[inside])[::-1]

    def count(self, threshold: float) -> int:
        """See :class:`Candidates`."""
        return int(((self.score >= threshold) & (self.score < self.below)).sum())

    def right_labels(self, threshold: float) -> np.ndarray:
        """See :class:`Candidates`."""
        beyond = self.alarms.right_beyond(threshold)
        return np.maximum(beyond - self.alarms.right_beyond(self.below), 0)

    def wrong_names(self, threshold: float) -> np.ndarray:
        """See :class:`Candidates`."""
        return np.zeros(self.alarms.draws)

    def names(self, threshold: float) -> None:
        """See :class:`Candidates`."""


def worth(candidates: Candidates, threshold: float, seed: int = 0) -> Worth:
    """What the verdicts from this score on are worth; ``seed`` is that of the chance in the interval."""
    count, names = candidates.count(threshold), candidates.names(threshold)
    rng = np.random.default_rng([seed, count])
    right_labels = candidates.right_labels(threshold)
    draws, whole = len(right_labels), max(count, 1)
    # none expected is not none possible: as of a count of which nothing is known beforehand (Jeffreys)
    false = right_labels + rng.gamma(0.5, size=draws) + candidates.wrong_names(threshold)
    expected = float(np.clip(1 - false / whole, 0, 1).mean())
    realised = 1 - np.minimum(rng.poisson(false), count) / whole
    if names is not None:
        found, right = names
        # the pessimistic end of Clopper and Pearson's interval is a quantile of this one
        rate = rng.beta(max(right, 1e-9), found - right + 1, draws) if found else np.zeros(draws)
        realised *= rng.binomial(count, rate) / whole
        expected *= right / found if found else 0.0
    low = float(np.quantile(realised, TAIL_SHARE))
    return Worth(
        threshold, count, expected, low, _optimistic(count, names, rng, draws), float(right_labels.mean())
    )


def _optimistic(count: int, names: tuple[float, float] | None, rng: np.random.Generator, draws: int) -> float:
    """The share of the verdicts that is right if no right label is among them: no data bounds these from below."""
    if names is None or not count:
        return 1.0
    found, right = names
    rate = rng.beta(right + 1, max(found - right, 1e-9), draws)
    return float(np.quantile(rng.binomial(count, rate) / count, 1 - TAIL_SHARE))


def lowest_threshold(
    candidates: Candidates, asked: float, *, floor: float | None = None, most_wrong: float = np.inf
) -> tuple[Worth | None, Worth | None]:
    """The lowest threshold at which a claim can be made.

    Args:
        candidates: for verdicts of one kind.
        asked: the precision asked for.
        floor: how low the pessimistic end may be; :func:`least_low` by default.
        most_wrong: the most right labels among the verdicts, by expectation.

    Returns:
        What the verdicts there are worth, None where there is no such threshold; and what the best threshold is worth,
        None where there are no candidates.
    """
    thresholds = candidates.thresholds()
    if len(thresholds) > _THRESHOLDS:
        thresholds = thresholds[np.unique(np.geomspace(1, len(thresholds), _THRESHOLDS).astype(int) - 1)]
    floor = least_low(asked) if floor is None else floor
    chosen = best = None
    for threshold in thresholds:
        here = worth(candidates, float(threshold))
        if best is None or here.low + here.precision > best.low + best.precision:
            best = here
        if here.precision >= asked and here.low >= floor and here.right_labels <= most_wrong:
            chosen = here
    return chosen, best
