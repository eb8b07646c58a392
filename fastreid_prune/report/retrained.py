"""Before and after: the scoring run and runs that were trained on what is kept."""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.scored_run.metadata import TrainingRecord


@dataclass(frozen=True)
class Outcome:
    """A run in one line.

    Attributes:
        name: as the table shows it.
        images, identities: what it trained on; None where it did not say.
        images_seen: with repetitions.
        seconds: of training; None where it did not say.
        results: name -> percent.
        history: iterations and (Rank-1 + mAP) / 2 in percent at each evaluation.
    """

    name: str
    images: int | None
    identities: int | None
    images_seen: int | None
    seconds: float | None
    results: dict[str, float]
    history: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))


def outcome(name: str, run: str | os.PathLike) -> Outcome:
    """Read a run's record and the evaluations that fastreid logged.

    Raises:
        FastreidPruneError: there is neither.
    """
    found = _outcome(name, run)
    if found is None:
        raise FastreidPruneError(
            f"{run}: no prune/run.json and no evaluation in metrics.json. Give the output folder of a run "
            "trained with the plug-in."
        )
    return found


def outcomes(
    scoring: Mapping[str, str | os.PathLike], retrained: Mapping[str, str | os.PathLike]
) -> list[Outcome]:
    """Of the scoring run, where it recorded any (a loop other than fastreid's does not), then of retrained runs.

    Raises:
        FastreidPruneError: a retrained run has neither a record nor an evaluation.
    """
    first = [found for name, run in scoring.items() if (found := _outcome(name, run)) is not None]
    return [*first, *(outcome(name, run) for name, run in retrained.items())]


def _outcome(name: str, run: str | os.PathLike) -> Outcome | None:
    run = Path(run)
    root = run.parent if run.name == "prune" else run
    record = TrainingRecord.read(root / "prune" / "run.json") or TrainingRecord.read(root / "run.json")
    evaluations = _evaluations(root / "metrics.json", record.evaluation)
    if not record and not evaluations:
        return None
    return Outcome(
        name=name,
        images=record.images,
        identities=record.identities,
        images_seen=record.images_seen,
        seconds=record.training_seconds,
        results=record.evaluation or (evaluations[-1] if evaluations else {}),
        history=(
            [line["iteration"] for line in evaluations],
            [line["metric"] for line in evaluations],
        ),
    )


def _evaluations(path: Path, final: dict[str, float]) -> list[dict[str, float]]:
    """The lines of fastreid's ``metrics.json`` at which an evaluation ran, each value once, and ``final`` last:
    fastreid writes nothing more after the last epoch.
    """
    found: list[dict[str, float]] = []
    last = -1
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []:
        try:
            values = json.loads(line)
        except ValueError:
            continue
        if not isinstance(values, dict) or "iteration" not in values:
            continue
        last = max(last, values["iteration"])
        if "metric" in values and (not found or values["metric"] != found[-1]["metric"]):
            found.append(values)
    if "metric" in final and last >= 0 and not (found and math.isclose(final["metric"], found[-1]["metric"])):
        found.append({**final, "iteration": last})
    return found
