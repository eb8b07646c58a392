"""Retrained runs side by side: what they cost, what they reach, which planted errors they were trained on."""

import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.lab.testbed.truth import WRONG_KINDS
from fastreid_prune.manifest import Manifest


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
    runs: dict[str, str | os.PathLike], truth: str | os.PathLike | None = None
) -> list[RunResult]:
    """Read what each run recorded of itself.

    Args:
        runs: name -> the run's ``OUTPUT_DIR``.
        truth: the ``truth.csv`` of a data set with planted errors.

    Raises:
        FastreidPruneError: a run has no record, has not been evaluated, or its manifest is gone.
    """
    planted = read_planted(truth) if truth is not None else None
    return [_result(name, Path(folder), planted) for name, folder in runs.items()]


def read_planted(path: str | os.PathLike) -> dict[str, str]:
    """The planted errors of a training set: file name -> the true identity, empty for an outlier.

    Args:
        path: ``truth.csv`` with the columns ``file``, ``true_id``, ``kind`` (and ``split``, where query and gallery are
            listed too); ``kind`` is one of :data:`.truth.WRONG_KINDS` or begins with ``outlier`` for planted errors.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        if rows and not {"file", "true_id", "kind"} <= set(rows[0]):
            raise FastreidPruneError(
                f"{path}: columns {', '.join(rows[0])} found, file, true_id and kind expected."
            )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FastreidPruneError(f"{path}: no truth.csv that can be read ({error}).") from error
    return {
        row["file"]: row["true_id"] if row["kind"] in WRONG_KINDS else ""
        for row in rows
        if row.get("split", "train") == "train"
        and (row["kind"] in WRONG_KINDS or row["kind"].startswith("outlier"))
    }


def _result(name: str, folder: Path, planted: dict[str, str] | None) -> RunResult:
    path = folder / "prune" / "run.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FastreidPruneError(
            f"{path}: no record of a run ({error}). Train with PRUNE.SEED 0 or more."
        ) from error
    results = record["results"]
    if "mAP" not in results:
        raise FastreidPruneError(
            f"{path}: the run has not been evaluated. Let it end, or resume it with --resume."
        )
    return RunResult(
        name=name,
        images=record["images"],
        identities=record["identities"],
        training_seconds=record["training_seconds"],
        rank1=results["Rank-1"],
        mAP=results["mAP"],
        planted_errors=None if planted is None else _errors_kept(record["manifest"], planted),
    )


def _errors_kept(manifest: str, planted: dict[str, str]) -> int:
    if not manifest:
        return len(planted)
    trained = Manifest.read(manifest).training_identities()
    return sum(
        1 for file, true_id in planted.items() if file in trained and not _is_identity(trained[file], true_id)
    )


def _is_identity(pid: str, true_id: str) -> bool:
    """Whether fastreid's ``market1501_12`` is the truth's ``12`` (or ``0012``); never for an outlier's empty one."""
    number = pid.rsplit("_", 1)[-1]
    return bool(true_id) and (
        number == true_id or (number.isdigit() and true_id.isdigit() and int(number) == int(true_id))
    )
