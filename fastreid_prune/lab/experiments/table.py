"""The table of a sweep's runs: one row a run, as Parquet and CSV."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from fastreid_prune.io.tables import write_csv, write_parquet
from fastreid_prune.lab.experiments.composition import kept
from fastreid_prune.lab.experiments.run_folder import RunFolder
from fastreid_prune.lab.experiments.runs import SCORE, Run
from fastreid_prune.selection import STRATEGIES

UNPRUNED = "unpruned"
MEASURES = ("Rank-1", "Rank-5", "Rank-10", "mAP", "mINP", "metric")
# name -> what missing values are
_TEXT = (
    "run", "kind", "status", "scored_with", "recipe", "method", "score", "purified", "budget", "device", "folder",
    "error",
)  # fmt: skip
_NUMBERS = (
    "ratio", "keep_per_identity", "keep_per_camera", "seed", "score_seed", "images", "identities", "epochs",
    "images_seen", "images_processed", "training_seconds", "wall_seconds", "cpu_seconds", "scoring_images_seen",
    "scoring_wall_seconds",
    "scoring_cpu_seconds", "near_copies", "wrong_labels_kept", "outliers_kept", "near_copies_kept", "attempts",
    *MEASURES,
)  # fmt: skip
TIMES = tuple(name for name in _NUMBERS if name.endswith("_seconds"))

Row = dict[str, Any]


def rows(runs: Sequence[Run], folder: str | os.PathLike) -> list[Row]:
    """One row a run, in the grid's order; None where a value is not known.

    Percent for the measures (``metric`` is (Rank-1 + mAP) / 2); seconds of wall time, of processor time with all child
    processes, and of the training steps alone. ``scoring_*`` is the cost of the scoring run that a choice needed;
    ``images_processed`` are the images that went forward and backward in the training and in that scoring run.
    ``near_copies`` is the share that the scored run tells; ``*_kept`` are counts by the truth of a test bed.
    """
    return [_row(run, RunFolder.of(folder, run), folder) for run in runs]


def write(table: Sequence[Row], folder: str | os.PathLike) -> tuple[Path, Path]:
    """Write ``results.parquet`` and ``results.csv``; their paths."""
    columns: dict[str, np.ndarray] = {
        name: np.array([*(row[name] or "" for row in table), None], object)[:-1] for name in _TEXT
    }
    columns |= {
        name: np.array([np.nan if row[name] is None else row[name] for row in table], np.float64)
        for name in _NUMBERS
    }
    parquet, csv = Path(folder) / "results.parquet", Path(folder) / "results.csv"
    write_parquet(parquet, columns, {"about": "fastreid_prune sweep, one row a run"})
    write_csv(csv, columns)
    return parquet, csv


def _row(run: Run, place: RunFolder, folder: str | os.PathLike) -> Row:
    record, state = place.record, place.state
    row: Row = dict.fromkeys((*_TEXT, *_NUMBERS))
    choice, source = run.selection, run.source
    row |= {
        "run": run.digest[:16],
        "kind": run.kind,
        "status": state.status,
        "recipe": run.name,
        "seed": run.seed,
        "ratio": run.ratio,
        "budget": run.budget,
        "method": choice.name if choice else ("" if run.kind == SCORE else UNPRUNED),
        "purified": "yes" if run.purify else "no",
        "folder": os.path.relpath(place.path, folder),
        "error": state.error,
        "attempts": state.attempts,
        "wall_seconds": state.wall_seconds,
        "cpu_seconds": state.cpu_seconds,
    }
    for name in ("images", "identities", "epochs", "images_seen", "training_seconds", "device"):
        row[name] = getattr(record, name)
    if record.images_seen is not None:
        row["images_processed"] = record.images_seen
    row |= {name: value for name, value in record.evaluation.items() if name in MEASURES}
    # a training that pruned itself wrote the manifest of what it went on with
    manifest = place.output / "prune" / "manifest.csv" if run.selection_in_run else place.manifest
    if run.kind != SCORE and (found := kept(manifest, run.data)):
        row |= {f"{name}_kept": count for name, count in asdict(found).items()}
    if choice:
        row |= {
            "score": choice.score if choice.method in STRATEGIES else choice.method,
            "keep_per_identity": choice.keep_per_identity,
            "keep_per_camera": choice.keep_per_camera,
        }
    if source:
        row["scored_with"] = source.name
    if run.scoring:
        scored = RunFolder.of(folder, run.scoring)
        row |= {
            "score_seed": run.scoring.seed,
            "scoring_images_seen": scored.record.images_seen,
            "scoring_wall_seconds": scored.state.wall_seconds,
            "scoring_cpu_seconds": scored.state.cpu_seconds,
            "near_copies": _near_copies(place),
        }
        if record.images_seen is not None and scored.record.images_seen is not None:
            row["images_processed"] += scored.record.images_seen
    return row


def _near_copies(place: RunFolder) -> float | None:
    from fastreid_prune.errors import FastreidPruneError
    from fastreid_prune.manifest.sidecar import read_sidecar

    try:
        regime = read_sidecar(place.manifest.with_suffix(".json")).get("regime") or {}
        return regime.get("near_duplicates", regime.get("near_copies"))
    except FastreidPruneError:
        return None
