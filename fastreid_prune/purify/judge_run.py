"""Judging a scored run: its trajectory in, the verdicts in its score files."""

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fastreid_prune.datasets.truth import NO_ID, read_truth
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.purify import judge_rule, paper  # noqa: F401 - they register themselves
from fastreid_prune.purify.identity_findings import identity_findings, identity_sentences
from fastreid_prune.purify.judge import DEFAULT_PRECISION
from fastreid_prune.purify.metrics import Quality, quality
from fastreid_prune.purify.registry import Ruling, get
from fastreid_prune.scored_run.identity_table import (
    IDENTITIES,
    Finding,
    keep_decisions,
    read_identities,
    write_identities,
)
from fastreid_prune.scored_run.run_files import RunFiles
from fastreid_prune.scored_run.score_table import VERDICT_COLUMNS, ScoreTable
from fastreid_prune.scored_run.verdicts import Verdicts


@dataclass(frozen=True)
class JudgedRun:
    """What :func:`judge_run` did.

    Attributes:
        ruling: the verdicts and what they rest on.
        quality: against the truth, where it was given.
        files: the run's score files, and ``identities.csv``.
        identities: what was found about identities; decided by hand, see :mod:`.identity_table`.
    """

    ruling: Ruling
    quality: Quality | None
    files: tuple[Path, ...]
    identities: list[Finding]

    @property
    def sentences(self) -> list[str]:
        """What the verdicts are worth, in words."""
        return [*self.ruling.sentences, *identity_sentences(self.identities)]


def judge_run(
    run: str | os.PathLike | RunFiles,
    *,
    rule: str = "judge",
    precision: float = DEFAULT_PRECISION,
    truth: str | os.PathLike | None = None,
) -> JudgedRun:
    """Judge the samples of a run and write the verdicts into its ``scores.parquet`` and ``scores.csv``.

    What it finds about identities goes into ``identities.csv``; decisions by hand that are there stay.

    Args:
        run: a scored run, or its folder.
        rule: one of ``RULES``.
        precision: the share of the verdicts that should be right, in [0.5, 1).
        truth: the ``truth.csv`` of a test bed, to measure the verdicts by.

    Raises:
        FastreidPruneError: no such rule, no trajectory, or one that cannot be judged; a truth of another data set.
    """
    chosen = get(rule)
    run = RunFiles.open(run)
    trajectory = run.named_trajectory("verdicts rest on")
    table = run.table
    ruling = chosen.rule(trajectory, precision)
    table = with_verdicts(table, ruling)
    measured = None
    if truth is not None:
        measured = against_truth(table, ruling, truth)
    run.write_table(table)
    path = run.folder / IDENTITIES
    earlier = read_identities(path) if path.is_file() else []
    findings = keep_decisions(identity_findings(trajectory), earlier)
    write_identities(path, findings)
    return JudgedRun(ruling, measured, (*run.score_files, path), findings)


def with_verdicts(table: ScoreTable, ruling: Ruling) -> ScoreTable:
    """The table with these verdicts; rows of unreadable images, the last ones, keep theirs."""
    count = len(ruling.verdicts)
    columns = (
        np.concatenate([getattr(ruling.verdicts, name), getattr(table.verdicts, name)[count:]])
        for name in VERDICT_COLUMNS
    )
    about = table.about | {"thresholds": json.dumps(ruling.thresholds, sort_keys=True)}
    return replace(table, verdicts=Verdicts(*columns), about=about)


def against_truth(table: ScoreTable, ruling: Ruling, truth: str | os.PathLike) -> Quality:
    """How good the verdicts are by the truth of the test bed that the run was scored on."""
    rows = {row.file: row for row in read_truth(truth)}
    count = len(ruling.verdicts)
    missing = [name for name in table.file_name[:count] if name not in rows]
    if missing:
        raise FastreidPruneError(
            f"{truth}: {len(missing)} of {count} images of the run have no row, the first {missing[0]}. Give the "
            "truth.csv of the data set that the run was scored on."
        )
    known = [
        rows[name].given(_number(pid))
        for name, pid in zip(table.file_name[:count], table.pid[:count], strict=True)
    ]
    true_pid = np.array(
        [
            "" if row.true_id == NO_ID else f"{pid[: len(pid) - len(pid.rsplit('_', 1)[-1])]}{row.true_id}"
            for row, pid in zip(known, table.pid[:count], strict=True)
        ],
        object,
    )
    return quality(
        ruling.verdicts,
        np.array([row.is_mislabelled for row in known], bool),
        np.array([row.is_outlier for row in known], bool),
        true_pid,
        np.nan_to_num(ruling.wrong),
        np.nan_to_num(ruling.outlier),
    )


def _number(pid: str) -> int:
    """The number in an identity's name, ``NO_ID`` where there is none: ``market1501_2`` is 2."""
    number = pid.rsplit("_", 1)[-1]
    return int(number) if number.isdigit() else NO_ID
