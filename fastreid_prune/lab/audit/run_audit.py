"""Scored, judged, and written up."""

import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats import export_run
from fastreid_prune.lab.audit.planning import Plan
from fastreid_prune.lab.audit.training import Trainer, bars
from fastreid_prune.manifest.run_manifest import prune_run
from fastreid_prune.purify import judge_run
from fastreid_prune.report import write_report
from fastreid_prune.scored_run.run_files import RunFiles


@dataclass(frozen=True)
class Audited:
    """What an audit found, and where it is.

    Attributes:
        run: the scored run's folder.
        counts: action -> samples, of the manifest.
        judged: whether the labels could be judged.
        sentences: what was found, a sentence each.
        quality: the verdicts beside the truth file, where there is one: what and how much.
        manifest, page, lists: the files; the lists are a folder.
        seconds: step -> how long it took.
    """

    run: Path
    counts: dict[str, int]
    judged: bool
    sentences: list[str]
    quality: list[tuple[str, str]]
    manifest: Path
    page: Path
    lists: Path
    seconds: dict[str, float]


def audit(plan: Plan, console: Console, truth: Path | None = None) -> Audited:
    """Score the data set by the plan's recipe, judge it, and write manifest, page and lists.

    Args:
        plan: from :func:`.planning.plan_audit`.
        console: where the bars go.
        truth: the ``truth.csv`` of a test bed, to measure the verdicts by.

    Raises:
        FastreidPruneError: the training ended in a mistake that a person can mend.
    """
    began = time.perf_counter()
    with bars(console) as progress, Trainer(plan.data.root, 1, progress, plan.machine.cores) as trainer:
        trainer.start(plan.scoring()).result()
    scored = time.perf_counter()
    audited = write_up(plan, truth, {**plan.seconds, "scoring": scored - began})
    began = time.perf_counter()
    write_report(audited.run, audited.page, images=plan.data.root)
    return replace(audited, seconds={**audited.seconds, "page": time.perf_counter() - began})


def write_up(plan: Plan, truth: Path | None, seconds: dict[str, float]) -> Audited:
    """Judge a scored run, and write manifest and lists; where the page will be is said, and it is not yet there."""
    began = time.perf_counter()
    run = plan.output / "score"
    sentences, judged, quality = _judged(run, truth)
    sentences = [*_unreadable(run), *sentences]
    summary = prune_run(run, 0.0, purify=judged, output=plan.output / "manifest.csv")
    seconds = {**seconds, "judging": time.perf_counter() - began}
    began = time.perf_counter()
    lists = plan.output / "lists"
    shutil.rmtree(lists, ignore_errors=True)
    export_run(run, lists)
    page = plan.output / "report.html"
    seconds["lists"] = time.perf_counter() - began
    sentences += [*summary.held, summary.regime.words]
    counts = dict(summary.manifest.counts)
    return Audited(
        run, counts, judged, sentences, quality, plan.output / "manifest.csv", page, lists, seconds
    )


def _unreadable(run: Path) -> list[str]:
    table = RunFiles.open(run).table
    rows = np.flatnonzero(table.unreadable)
    if not len(rows):
        return []
    shown = "; ".join(f"{table.file_name[row]}: {table.verdicts.reason[row]}" for row in rows[:3])
    more = f"; and {len(rows) - 3} more" if len(rows) > 3 else ""
    return [f"{len(rows)} images cannot be read and were left out of everything: {shown}{more}."]


def _judged(run: Path, truth: Path | None) -> tuple[list[str], bool, list[tuple[str, str]]]:
    try:
        judged = judge_run(run, truth=truth)
    except FastreidPruneError as error:
        return [f"The labels could not be judged: {error}"], False, []
    return judged.sentences, True, judged.quality.rows() if judged.quality is not None else []
