"""Queries that two runs answer differently: whose average precision rose and fell most."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastreid_prune.evaluation.retrieved import Retrieved

FOUND, CHANGES = 6, 4


@dataclass(frozen=True)
class Answer:
    """What a run found for a query.

    Attributes:
        precision: average precision in [0, 1].
        found: (file name, whether it shows the query's identity), closest first.
    """

    precision: float
    found: list[tuple[str, bool]]


@dataclass(frozen=True)
class Change:
    """A query with the answers of two runs."""

    query: str
    before: Answer
    after: Answer


@dataclass(frozen=True)
class Comparison:
    """Two runs on the queries of both.

    Attributes:
        before, after: their names.
        queries: how many there are.
        better, worse: how many of them the second run answers with a higher and a lower average precision.
        rose, fell: the largest changes, largest first.
    """

    before: str
    after: str
    queries: int
    better: int
    worse: int
    rose: list[Change]
    fell: list[Change]

    @property
    def file_names(self) -> set[str]:
        """Of all images that it shows."""
        changes = [*self.rose, *self.fell]
        answers = [answer for change in changes for answer in (change.before, change.after)]
        return {change.query for change in changes} | {name for one in answers for name, _ in one.found}


def comparisons(runs: Mapping[str, str | os.PathLike]) -> list[Comparison]:
    """The first of ``runs`` (name -> output folder) with each other; runs that kept nothing are left out.

    Raises:
        FastreidPruneError: what a run kept cannot be read.
    """
    kept = {name: Retrieved.read(path) for name, run in runs.items() if (path := _path(run)).is_file()}
    if len(kept) < 2:
        return []
    (before, first), *others = kept.items()
    made = (_compare(before, first, after, other) for after, other in others)
    return [comparison for comparison in made if comparison.queries]


def _path(run: str | os.PathLike) -> Path:
    run = Path(run)
    return (run if run.name == "prune" else run / "prune") / "retrieved.npz"


def _compare(before: str, first: Retrieved, after: str, second: Retrieved) -> Comparison:
    _, a, b = np.intersect1d(first.query, second.query, return_indices=True)
    change = second.average_precision[b] - first.average_precision[a]
    a, b, change = (values[np.isfinite(change)] for values in (a, b, change))
    order = np.argsort(change, kind="stable")

    def largest(places: list[int]) -> list[Change]:
        return [
            Change(str(first.query[a[i]]), _answer(first, int(a[i])), _answer(second, int(b[i])))
            for i in places
        ]

    return Comparison(
        before=before,
        after=after,
        queries=len(change),
        better=int((change > 0).sum()),
        worse=int((change < 0).sum()),
        rose=largest([int(i) for i in order[::-1][:CHANGES] if change[i] > 0]),
        fell=largest([int(i) for i in order[:CHANGES] if change[i] < 0]),
    )


def _answer(kept: Retrieved, row: int) -> Answer:
    found = kept.nearest[row]
    names = kept.gallery[found[found >= 0]][:FOUND].tolist()
    return Answer(float(kept.average_precision[row]), list(zip(names, kept.right(row)[:FOUND], strict=True)))
