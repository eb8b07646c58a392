"""``fastreid-prune plant``."""

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from fastreid_prune.lab.testbed import plant


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder of the copy.")
@click.option(
    "--wrong-labels",
    default=0.10,
    show_default=True,
    help="Share of wrong labels, for a pattern without its own.",
)
@click.option(
    "--pattern",
    default="uniform",
    show_default=True,
    metavar="PATTERN[:SHARE],...",
    help="uniform (to any other identity), patterned (from each identity to one other), tracklet (all of a person in "
    "a camera), split (a person under two numbers), merge (two persons under one); shares of the last two are of the "
    "identities. Several: uniform:0.05,tracklet:0.05.",
)
@click.option("--outliers", default=0.03, show_default=True, help="Share of the training images.")
@click.option("--seed", default=0, show_default=True, help="Another seed makes other errors.")
def command(
    folder: Path, output: Path, wrong_labels: float, pattern: str, outliers: float, seed: int
) -> None:
    """Copy the data set in FOLDER, add wrong labels and outliers, and list them in a truth.csv.

    FOLDER holds a data set in any layout. One in Market-1501's, VeRi's or MSMT17's stays in it, any other becomes one
    in Market-1501's. Unchanged images are hard links where possible.
    """
    planted = plant(folder, output, wrong_labels, pattern, outliers, seed, progress=True)
    table = Table("training images", "number")
    for kind, count in planted.kinds.items():
        table.add_row(kind, str(count))
    console = Console()
    console.print(table)
    console.print(f"test bed in {planted.folder}, truth in {planted.truth}", soft_wrap=True)
