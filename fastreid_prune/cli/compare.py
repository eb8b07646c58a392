"""``fastreid-prune compare``: retrained runs side by side."""

import click

from fastreid_prune.cli.printing import print_table


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="NAME=RUN...")
@click.option(
    "--truth", type=click.Path(exists=True, dir_okay=False), help="truth.csv of a data set with known errors."
)
def command(runs: tuple[str, ...], truth: str | None) -> None:
    """Print a table of runs: NAME=RUN, RUN being the output folder of a training with PRUNE.SEED 0 or more."""
    from fastreid_prune.lab.comparison import compare_runs

    named = {}
    for run in runs:
        name, equals, folder = run.partition("=")
        if not equals:
            raise click.UsageError(f"{run}: NAME=RUN expected, such as all=logs/demo/all")
        named[name] = folder
    results = compare_runs(named, truth)
    header: tuple[str, ...] = ("trained on", "images", "identities", "training s", "Rank-1 %", "mAP %")
    rows: list[tuple[object, ...]] = [
        (r.name, r.images, r.identities, f"{r.training_seconds:.0f}", f"{r.rank1:.1f}", f"{r.mAP:.1f}")
        for r in results
    ]
    if truth:
        header += ("known errors kept",)
        rows = [(*row, result.planted_errors) for row, result in zip(rows, results, strict=True)]
    print_table("", rows, header)
