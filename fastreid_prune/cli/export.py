"""``fastreid-prune export``: the published lists of a scored run, and the formats of other tools."""

from pathlib import Path

import click

from fastreid_prune.cli.printing import print_table
from fastreid_prune.formats import export_run, written

_WRITTEN = "; ".join(f"{form.name}: {form.writes}" for form in written())


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False))
@click.option(
    "-o", "--output", type=click.Path(file_okay=False), required=True, help="A new or empty folder."
)
@click.option("--format", "formats", multiple=True, type=click.Choice([form.name for form in written()]),
              default=("lists",), show_default=True,
              help=f"May be given several times. {_WRITTEN}.")  # fmt: skip
@click.option("--method", default="entropy", show_default=True, help="Score that ranks.")
@click.option("--manifest", type=click.Path(exists=True, dir_okay=False),
              help="What stays in formats with images.  [all but outliers, relabelled]")  # fmt: skip
@click.option("--images", type=click.Path(exists=True, file_okay=False), metavar="DATASETS",
              help="Folder of the data sets, for formats with images.")  # fmt: skip
@click.option("--copy", is_flag=True, help="Copy the images; by default links lead to them.")
def command(
    run: str,
    output: str,
    formats: tuple[str, ...],
    method: str,
    manifest: str | None,
    images: str | None,
    copy: bool,
) -> None:
    """Write what RUN, the output folder of a scored run, found: lists to publish and formats to go on with."""
    summary = export_run(
        run, Path(output), formats, method=method, manifest=manifest, images=images, copy=copy
    )
    rows = [(name, *counts) for name, counts in summary.datasets.items()]
    print_table(f"Exported to {summary.folder}", rows, ("data set", "samples", "mislabelled", "outliers"))
    for name in summary.files:
        click.echo(f"  {name}")
    for note in summary.notes:
        click.echo(note)
