"""What ``audit`` and ``quickstart`` have in common: their options, and their tables."""

from collections.abc import Callable
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from fastreid_prune.cli.printing import print_table

# torch comes with them: imported by the command, when it runs
if TYPE_CHECKING:
    from fastreid_prune.lab.audit import Audited, Plan
    from fastreid_prune.lab.comparison import RunResult


def auditing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The arguments DATA and OPTIONS, and how DATA is read and trained on."""
    for decorate in (
        click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[KEY VALUE]..."),
        click.argument("data", required=False),
        click.option("--recipe", type=click.Choice(["auto", "gpu", "cpu", "small"]), default="auto", show_default=True,
                     help="gpu: ResNet-50; cpu: MobileNetV2 from ImageNet weights; small: ResNet-18 from scratch."),
        click.option("--layout", default="auto", show_default=True, help="How DATA lies on disk."),
        click.option("--pattern", help="What file names say, such as '(?P<pid>\\d+)_c(?P<camid>\\d+)'."),
        click.option("--hold-out", type=float, metavar="SHARE",
                     help="Make a test split of this share of the identities."),
    ):  # fmt: skip
        command = decorate(command)
    return command


def print_plan(plan: "Plan") -> None:
    """What was found in the data set, and what will be done."""
    data = plan.data
    rows = [(split, images, pids, cams or "not known") for split, images, pids, cams in data.counts()]
    print_table(f"{data.root}: layout {data.layout}", rows, ("split", "images", "identities", "cameras"))
    for line in (*data.report(), *plan.reasons):
        click.echo(line)


def print_audited(audited: "Audited", plan: "Plan") -> None:
    """What the audit found, where it is, and what to do with it."""
    total = sum(audited.counts.values())
    rows = [
        (action, count, f"{100 * count / max(total, 1):.1f} %") for action, count in audited.counts.items()
    ]
    print_table(f"{total} training images", rows, ("manifest", "images", ""))
    for line in audited.sentences:
        click.echo(line)
    if audited.quality:
        print_table("Compared with the truth file", audited.quality)
    in_all = sum(audited.seconds.values())
    steps = ", ".join(f"{step} {seconds:.0f} s" for step, seconds in audited.seconds.items())
    click.echo(f"{in_all:.0f} s in all: {steps}")
    click.echo(f"page:     {audited.page}")
    click.echo(f"manifest: {audited.manifest}")
    click.echo(f"lists:    {audited.lists}")
    purify = " --purify" if audited.judged else ""
    click.echo(
        f"""
What to do next
1. Open the page in a browser. The images that are most likely wrong come first: decide, and save decisions.csv.
2. Make a manifest of your decisions{" and the verdicts above" if purify else ""}:
     fastreid-prune prune {quote(str(audited.run))} --ratio 0{purify} --decisions decisions.csv -o kept.csv
3. Train any recipe of fastreid's on what it keeps:
     FASTREID_DATASETS={quote(str(plan.data.root))} fastreid-prune run YOUR/train_net.py ... \\
       DATASETS.NAMES {quote(f'("{plan.path}",)')} PRUNE.MANIFEST kept.csv"""
    )


def print_results(results: "list[RunResult]") -> None:
    """The trainings side by side."""
    header = ["trained on", "images", "identities", "training s", "Rank-1 %", "mAP %"]
    rows: list[tuple[object, ...]] = [
        (r.name, r.images, r.identities, f"{r.training_seconds:.0f}", f"{r.rank1:.1f}", f"{r.mAP:.1f}")
        for r in results
    ]
    if any(result.planted_errors is not None for result in results):
        header.append("known errors kept")
        rows = [(*row, result.planted_errors) for row, result in zip(rows, results, strict=True)]
    print_table("", rows, tuple(header))
