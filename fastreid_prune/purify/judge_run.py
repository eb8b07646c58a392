"""Judging a scored run: its trajectory in, the verdicts in its score files."""

import json
import os
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from fastreid_prune.datasets.truth import read_truth
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.work import Pool, Work
from fastreid_prune.purify import judge_rule, paper  # noqa: F401 - they register themselves
from fastreid_prune.purify.identity_findings import identity_findings, identity_sentences
from fastreid_prune.purify.judge import DEFAULT_PRECISION
from fastreid_prune.purify.kind_quality import KindQuality, TrueIdentities, of_each_kind
from fastreid_prune.purify.metrics import Quality, quality
from fastreid_prune.purify.registry import Ruling, get
from fastreid_prune.scored_run.identity_table import (
    IDENTITIES,
    Finding,
    keep_decisions,
    read_identities,
    write_identities,
)
from fastreid_prune.scored_run.metadata import note
from fastreid_prune.scored_run.run_files import RunFiles
from fastreid_prune.scored_run.score_table import VERDICT_COLUMNS, ScoreTable
from fastreid_prune.scored_run.verdicts import Verdicts
from fastreid_prune.scores.top_classes import too_many, top_classes
from fastreid_prune.trajectory import Trajectory
from fastreid_prune.trajectory.factors import FactoredLogits
from fastreid_prune.trajectory.fingerprint import fingerprint


@dataclass(frozen=True)
class JudgedRun:
    """What :func:`judge_run` did.

    Attributes:
        ruling: the verdicts and what they rest on.
        quality: against the truth, where it was given.
        kinds: of each kind of verdict by itself, likewise.
        files: the run's score files, and ``identities.csv``.
        identities: what was found about identities; decided by hand, see :mod:`.identity_table`.
    """

    ruling: Ruling
    quality: Quality | None
    files: tuple[Path, ...]
    identities: list[Finding]
    kinds: list[KindQuality] = field(default_factory=list)

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
    pool: Pool | None = None,
) -> JudgedRun:
    """Judge the samples of a run and write the verdicts into its ``scores.parquet`` and ``scores.csv``.

    What it finds about identities goes into ``identities.csv``; decisions by hand that are there stay.

    Args:
        run: a scored run, or its folder.
        rule: one of ``RULES``.
        precision: the share of the verdicts that should be right, in [0.5, 1).
        truth: the ``truth.csv`` of a test bed, to measure the verdicts by.
        pool: what judges blocks of samples, see :class:`.ray_cluster.RayBlocks`; None: this process.

    Raises:
        FastreidPruneError: no such rule, no trajectory, or one that cannot be judged; a truth of another data set.
    """
    chosen = get(rule)
    run = RunFiles.open(run)
    trajectory = run.named_trajectory("verdicts rest on")
    work = Work(_folder_between(trajectory), pool)
    if too_many(trajectory.mean_logits):
        # by the pool; the table of scores finds it kept
        top_classes(trajectory, pool)
    table = run.table
    ruling = chosen.rule(trajectory, precision, work)
    table = with_verdicts(table, ruling)
    known = None if truth is None else _truth_of(table, len(ruling.verdicts), truth)
    run.write_table(table)
    note(run.folder / "run.json", "approximations", list(ruling.thresholds.get("approximations", ())))
    path = run.folder / IDENTITIES
    earlier = read_identities(path) if path.is_file() else []
    findings = keep_decisions(identity_findings(trajectory, work), earlier)
    write_identities(path, findings)
    # what was kept on the way is in the verdicts now
    if work.folder is not None:
        shutil.rmtree(work.folder.parent, ignore_errors=True)
    done = JudgedRun(ruling, None, (*run.score_files, path), findings)
    if known is None:
        return done
    natural = ~run.injected.moved[run.dataset_rows]
    kinds = of_each_kind(known.identities, natural, ruling.verdicts, findings, known.outlier)
    return replace(done, quality=_against(known, ruling), kinds=kinds)


def _folder_between(trajectory: Trajectory) -> Path | None:
    """Where a large run keeps what judging finds on its way; None where it has no factors on disk."""
    logits = trajectory.mean_logits
    if not isinstance(logits, FactoredLogits) or not logits.folders:
        return None
    return logits.folders[0].parent / "judging" / fingerprint(trajectory)


def with_verdicts(table: ScoreTable, ruling: Ruling) -> ScoreTable:
    """The table with these verdicts; rows of unreadable images, the last ones, keep theirs."""
    count = len(ruling.verdicts)
    columns = (
        np.concatenate([getattr(ruling.verdicts, name), getattr(table.verdicts, name)[count:]])
        for name in VERDICT_COLUMNS
    )
    about = table.about | {"thresholds": json.dumps(ruling.thresholds, sort_keys=True)}
    return replace(table, verdicts=Verdicts(*columns), about=about)


@dataclass(frozen=True)
class _Known:
    """The truth of N samples: who is who, what is no single known person, and which labels are wrong."""

    identities: TrueIdentities
    outlier: np.ndarray
    wrong: np.ndarray


def _truth_of(table: ScoreTable, count: int, path: str | os.PathLike) -> _Known:
    """The truth of the first ``count`` samples of a table by the truth of the test bed that they are of."""
    rows = {row.file: row for row in read_truth(path)}
    missing = [name for name in table.file_name[:count] if name not in rows]
    if missing:
        raise FastreidPruneError(
            f"{path}: {len(missing)} of {count} images of the run have no row, the first {missing[0]}. Give the "
            "truth.csv of the data set that the run was scored on."
        )
    known = [rows[name] for name in table.file_name[:count]]
    identities = TrueIdentities.of(table.pid[:count], table.camid[:count], [row.true_id for row in known])
    # where the truth does not say what kind of error an image is, its identity's other images do
    wrong = [
        row.is_mislabelled if row.kind else by_others
        for row, by_others in zip(known, identities.wrong, strict=True)
    ]
    return _Known(identities, np.array([row.is_outlier for row in known], bool), np.array(wrong, bool))


def _against(known: _Known, ruling: Ruling) -> Quality:
    """How good the verdicts are, by the truth."""
    suggested = ruling.verdicts.suggested_pid
    # a person may have two numbers: either is right
    shown = np.where(known.identities.shows(suggested), suggested, "")
    return quality(
        ruling.verdicts,
        known.wrong,
        known.outlier,
        shown,
        np.nan_to_num(ruling.wrong),
        np.nan_to_num(ruling.outlier),
    )
