"""What scoring costs beside a full training, and what pruning saves."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fastreid_prune.lab.experiments.statistics import Setting, ratios, setting_of, unpruned
from fastreid_prune.lab.experiments.table import UNPRUNED, Row

UNITS = {"images seen": "images_seen", "wall seconds": "wall_seconds", "processor seconds": "cpu_seconds"}


@dataclass(frozen=True)
class Cost:
    """In one unit.

    Attributes:
        unit: images seen, wall seconds or processor seconds.
        scoring: of a scoring run, on average.
        whole: of a training on everything.
        pruned: ratio -> of a training on what is left, all methods together.
    """

    unit: str
    scoring: float
    whole: float
    pruned: dict[float, float]

    @property
    def cheaper(self) -> float:
        """How many times cheaper scoring is than a full training (the paper: 10)."""
        return self.whole / self.scoring if self.scoring else math.nan

    def saved(self, ratio: float, with_scoring: bool) -> float:
        """The share of a full training that pruning saves; of one retraining, with the scoring or without."""
        spent = self.pruned[ratio] + (self.scoring if with_scoring else 0.0)
        return 1 - spent / self.whole if self.whole else math.nan


def costs(table: Sequence[Row], setting: Setting) -> list[Cost]:
    """The costs of a setting in each unit, where it has a training on everything."""
    if not unpruned(table, setting):
        return []
    done = [row for row in table if row["status"] == "done"]
    scoring = [row for row in done if row["kind"] == "score" and row["recipe"] == setting.scored_with]
    whole = [row for row in done if row["method"] == UNPRUNED and row["recipe"] == setting.recipe]
    pruned = [row for row in done if row["kind"] == "train" and setting_of(row) == setting]
    return [
        Cost(
            unit,
            _mean(scoring, column),
            _mean(whole, column),
            {
                ratio: _mean([row for row in pruned if row["ratio"] == ratio], column)
                for ratio in ratios(pruned)
            },
        )
        for unit, column in UNITS.items()
    ]


def _mean(rows: Sequence[Row], column: str) -> float:
    known = [row[column] for row in rows if row[column]]
    return float(np.mean(known)) if known else math.nan
