"""What a table of runs says: means, differences by seed, how far one can prune."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from fastreid_prune.lab.experiments.table import UNPRUNED, Row

CONFIDENCE = 0.95
POINTS = 0.1


@dataclass(frozen=True, order=True)
class Setting:
    """What is held fixed when methods are compared."""

    scored_with: str
    recipe: str
    budget: str
    purified: str


@dataclass(frozen=True)
class Mean:
    """Over seeds: how many, the mean, the standard deviation (NaN of fewer than two)."""

    seeds: int
    mean: float
    std: float

    def __str__(self) -> str:
        if not self.seeds:
            return "–"
        return f"{self.mean:.2f}" + ("" if math.isnan(self.std) else f" ± {self.std:.2f}")


@dataclass(frozen=True)
class Difference:
    """Of two runs of each seed.

    Attributes:
        seeds: how many pairs.
        mean: of the differences, in the measure's unit.
        low, high: a 95 % interval of the mean (Student's t over the pairs); NaN of fewer than two.
    """

    seeds: int
    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        if not self.seeds:
            return "–"
        return f"{self.mean:+.2f}" + ("" if math.isnan(self.low) else f" [{self.low:+.2f}, {self.high:+.2f}]")


@dataclass(frozen=True)
class Furthest:
    """How far one can prune: the largest ratio up to which every ratio tried loses little; 0 where none does.

    Attributes:
        points: loses less than ``POINTS``, on the mean over seeds.
        std: loses less than one standard deviation of the unpruned runs; None with fewer than two of them.
    """

    points: float
    std: float | None


def values(table: Iterable[Row], measure: str = "metric", **wanted: Any) -> dict[int, float]:
    """Seed -> measure, of the finished trainings whose columns are as wanted."""
    return {
        row["seed"]: row[measure]
        for row in table
        if row["kind"] == "train"
        and row["status"] == "done"
        and row.get(measure) is not None
        and all(row[name] == value for name, value in wanted.items())
    }


def unpruned(table: Iterable[Row], setting: Setting, measure: str = "metric") -> dict[int, float]:
    """Seed -> measure, of the trainings on everything with the setting's recipe."""
    return values(table, measure, recipe=setting.recipe, method=UNPRUNED)


def of_method(
    table: Iterable[Row], setting: Setting, method: str, ratio: float, measure: str = "metric"
) -> dict[int, float]:
    """Seed -> measure, of a method at a ratio in a setting."""
    return values(table, measure, **vars(setting), method=method, ratio=ratio)


def setting_of(row: Row) -> Setting:
    """The setting of a pruned run."""
    return Setting(row["scored_with"], row["recipe"], row["budget"], row["purified"])


def settings(table: Iterable[Row]) -> list[Setting]:
    """The settings that the table has pruned runs of, sorted."""
    return sorted({setting_of(row) for row in table if row["kind"] == "train" and row["method"] != UNPRUNED})


def methods(table: Iterable[Row]) -> list[str]:
    """The methods in the table's order."""
    return list(dict.fromkeys(row["method"] for row in table if row["method"] not in ("", UNPRUNED)))


def ratios(table: Iterable[Row]) -> list[float]:
    """The ratios, rising."""
    return sorted({row["ratio"] for row in table if row["ratio"]})


def mean(by_seed: dict[int, float]) -> Mean:
    """Mean and standard deviation (n - 1) over seeds."""
    numbers = np.array(list(by_seed.values()), float)
    if not len(numbers):
        return Mean(0, math.nan, math.nan)
    return Mean(
        len(numbers), float(numbers.mean()), float(numbers.std(ddof=1)) if len(numbers) > 1 else math.nan
    )


def difference(one: dict[int, float], other: dict[int, float], confidence: float = CONFIDENCE) -> Difference:
    """``one`` minus ``other``, over the seeds that both have: chance that both share cancels.

    >>> print(difference({0: 51.0, 1: 53.0, 2: 50.0}, {0: 50.0, 1: 51.0, 2: 50.0, 7: 9.0}))
    +1.00 [-1.48, +3.48]
    """
    pairs = np.array([one[seed] - other[seed] for seed in one if seed in other], float)
    if not len(pairs):
        return Difference(0, math.nan, math.nan, math.nan)
    centre = float(pairs.mean())
    if len(pairs) < 2:
        return Difference(1, centre, math.nan, math.nan)
    half = float(
        stats.t.ppf(0.5 + confidence / 2, len(pairs) - 1) * pairs.std(ddof=1) / math.sqrt(len(pairs))
    )
    return Difference(len(pairs), centre, centre - half, centre + half)


def furthest(table: Sequence[Row], setting: Setting, method: str, measure: str = "metric") -> Furthest:
    """How far this method can prune in this setting; see :class:`Furthest`."""
    whole = unpruned(table, setting, measure)
    spread = mean(whole).std
    losses = {
        ratio: -difference(of_method(table, setting, method, ratio, measure), whole).mean
        for ratio in ratios(table)
    }
    return Furthest(_last_below(losses, POINTS), None if math.isnan(spread) else _last_below(losses, spread))


def _last_below(losses: dict[float, float], limit: float) -> float:
    reached = 0.0
    for ratio, loss in sorted(losses.items()):
        if math.isnan(loss):
            continue
        if not loss < limit:
            break
        reached = ratio
    return reached
