"""Retrained runs side by side: what they cost, what they reach, which planted errors they were trained on."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastreid_prune.datasets.truth import TruthRow, goes_by, read_truth
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.manifest import Manifest
from fastreid_prune.scored_run.metadata import TrainingRecord


@dataclass(frozen=True)
class RunResult:
    """One run of a comparison.

    Attributes:
        name: as the caller names it.
        images: trained on.
        identities: trained on.
        training_seconds: of the training steps alone.
        rank1: in percent.
        mAP: in percent.
        planted_errors: wrong labels and outliers of ``truth.csv`` among the images trained on, a wrong label that was
            relabelled rightly not counted; None without a truth.
    """

    name: str
    images: int
    identities: int
    training_seconds: float
    rank1: float
    mAP: float
    planted_errors: int | None


def compare_runs(
    runs: Mapping[str, str | os.PathLike], truth: str | os.PathLike | None = None
) -> list[RunResult]:
    """Read what each run recorded of itself.

    Args:
        runs: name -> the run's ``OUTPUT_DIR``.
        truth: the ``truth.csv`` of a data set with planted errors.

    Raises:
        FastreidPruneError: a run has no record, has not been evaluated, or its manifest is gone.
    """
    rows = None if truth is None else [row for row in read_truth(truth) if row.split in ("", "train")]
    return [_result(name, Path(folder), rows) for name, folder in runs.items()]


def _result(name: str, folder: Path, truth: list[TruthRow] | None) -> RunResult:
    path = folder / "prune" / "run.json"
    record = TrainingRecord.read(path)
    if not record:
        raise FastreidPruneError(f"{path}: no record of a run. Train with PRUNE.SEED 0 or more.")
    results = record.evaluation
    if "mAP" not in results:
        raise FastreidPruneError(
            f"{path}: the run has not been evaluated. Let it end, or resume it with --resume."
        )
    return RunResult(
        name=name,
        images=record.images or 0,
        identities=record.identities or 0,
        training_seconds=record.training_seconds or 0.0,
        rank1=results["Rank-1"],
        mAP=results["mAP"],
        planted_errors=None if truth is None else _errors_kept(record.manifest, truth),
    )


def _errors_kept(manifest: str | None, truth: list[TruthRow]) -> int:
    errors = [row for row in truth if row.is_outlier or row.is_mislabelled]
    if not manifest:
        return len(errors)
    trained = Manifest.read(manifest).training_identities()
    return sum(
        row.file in trained and (row.is_outlier or not goes_by(trained[row.file], row.true_id))
        for row in errors
    )
