"""``fastreid-prune demo``."""

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from fastreid_prune.io.cores import usable_cores
from fastreid_prune.lab.demo import write_demo


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--seed", default=0, show_default=True, help="Another seed gives other people.")
@click.option("--train-ids", default=120, show_default=True, help="Training identities.")
@click.option("--test-ids", default=40, show_default=True, help="Other identities, for query and gallery.")
@click.option(
    "--wrong-labels", default=0.05, show_default=True, help="Share of wrong labels among training images."
)
@click.option("--outliers", default=0.03, show_default=True, help="Share of outliers among training images.")
def command(
    folder: Path, seed: int, train_ids: int, test_ids: int, wrong_labels: float, outliers: float
) -> None:
    """Render the embedded data set into FOLDER, in Market-1501's layout, with its truth.csv.

    For fastreid, FOLDER is then FASTREID_DATASETS and the data set's name is Market1501.
    """
    summary = write_demo(
        folder, seed, train_ids, test_ids, wrong_labels, outliers, progress=True, processes=usable_cores()
    )
    table = Table("split", "images", "identities", "of which")
    for split, count in summary.images.items():
        kinds = (
            ", ".join(f"{number} {kind}" for kind, number in summary.kinds.items())
            if split == "train"
            else ""
        )
        table.add_row(split, str(count), str(summary.identities[split]), kinds)
    console = Console()
    console.print(table)
    console.print(f"images in {summary.folder}, truth in {summary.truth}", soft_wrap=True)
