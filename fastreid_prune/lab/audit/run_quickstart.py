"""The whole way: scored, pruned, retrained on everything, at random, by entropy and by ``auto``, side by side."""

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from fastreid_prune import datasets
from fastreid_prune.io.cores import usable_cores
from fastreid_prune.lab.audit.planning import Plan, plan_audit
from fastreid_prune.lab.audit.run_audit import Audited, write_up
from fastreid_prune.lab.audit.training import Trainer, bars
from fastreid_prune.lab.comparison import RunResult, compare_runs
from fastreid_prune.lab.demo import write_demo
from fastreid_prune.manifest.run_manifest import prune_run
from fastreid_prune.report import write_report

RATIO = 0.3
METHODS = ("random", "entropy", "auto")
ALL = "all"
FOLDER = Path("quickstart")
HOLD_OUT = 0.2
# the embedded data set at a quarter of its pixels: done in minutes, and figures are told apart as well
DEMO_OPTIONS = ("INPUT.SIZE_TRAIN", "[64, 32]", "INPUT.SIZE_TEST", "[64, 32]", "INPUT.PADDING.SIZE", "4")
# of MobileNetV2's retraining there: at the recipe's own 0.0005 it has not learnt them after 12 epochs (measured: Rank-1
# 44 % on everything, 65 % at this rate)
DEMO_RATE = ("SOLVER.BASE_LR", "0.002")


@dataclass(frozen=True)
class Retrained:
    """What came of it.

    Attributes:
        audited: of the scored run.
        results: a row a training.
        runs: name -> its folder.
    """

    audited: Audited
    results: list[RunResult]
    runs: dict[str, Path]


def plan_quickstart(
    data: str | os.PathLike[str] | None,
    output: str | os.PathLike[str] | None,
    *,
    recipe: str,
    layout: str,
    pattern: str | None,
    hold_out: float | None,
    options: Sequence[str],
) -> tuple[Plan, Path | None]:
    """As :func:`.planning.plan_audit`, of the embedded data set by default, and with a test split in any case.

    Returns:
        The plan, and the ``truth.csv`` of the embedded data set (else None).
    """
    truth, began = None, time.perf_counter()
    if data is None:
        data, name = FOLDER / "demo-data", "demo"
        truth = data / "truth.csv"
        if not truth.is_file():
            write_demo(data, progress=True, processes=usable_cores())
        options = [*DEMO_OPTIONS, *options]
    else:
        found = datasets.read(data, layout, pattern)
        name = re.sub(r"[^\w.-]+", "-", Path(data).absolute().name)
        if hold_out is None and not (set(found.of_split("query").pid) & set(found.of_split("gallery").pid)):
            hold_out = HOLD_OUT
    found_after = time.perf_counter() - began
    plan = plan_audit(
        data,
        output or FOLDER / name,
        recipe=recipe,
        layout=layout,
        pattern=pattern,
        hold_out=hold_out,
        options=options,
    )
    if truth is not None:
        scoring, retraining = plan.options
        faster = DEMO_RATE if plan.recipe == "cpu" else ()
        seconds = {"rendering": found_after, **plan.seconds}
        plan = replace(plan, options=(scoring, [*faster, *retraining]), seconds=seconds)
    return plan, truth


def quickstart(plan: Plan, console: Console, truth: Path | None = None) -> Retrained:
    """Score, judge, prune 30 % in three ways, train on each and on everything, and compare.

    On a CPU with two cores or more several trainings run at a time, each with its share of the cores: processes use
    them better than threads, which wait for each other in every layer.

    Args:
        plan: of a data set that can be tested on.
        console: where the bars go.
        truth: of a test bed.
    """
    several = not plan.machine.gpu and plan.machine.cores > 1
    threads = max(1, plan.machine.cores // (2 if several else 1))
    began = time.perf_counter()
    with (
        bars(console) as progress,
        Trainer(plan.data.root, len(METHODS) if several else 1, progress, threads) as trainer,
    ):
        scoring = trainer.start(plan.scoring())
        trainings = [trainer.start(plan.retraining(ALL, None))]
        scoring.result()
        audited = write_up(plan, truth, {**plan.seconds, "scoring": time.perf_counter() - began})
        began = time.perf_counter()
        for method in METHODS:
            manifest = plan.output / f"{method}.csv"
            prune_run(audited.run, RATIO, method, output=manifest)
            trainings.append(trainer.start(plan.retraining(method, manifest)))
        for training in trainings:
            training.result()
    trained = time.perf_counter()
    runs = {name: plan.output / name for name in (ALL, *METHODS)}
    results = compare_runs(dict(runs), truth)
    write_report(audited.run, audited.page, images=plan.data.root, ratio=RATIO, retrained=runs)
    seconds = {**audited.seconds, "training": trained - began, "page": time.perf_counter() - trained}
    return Retrained(replace(audited, seconds=seconds), results, runs)
