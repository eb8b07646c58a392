"""``fastreid-prune report``: the page to judge a scored run by."""

from pathlib import Path

import click

from fastreid_prune.cli.printing import print_table


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), default=Path("report.html"),
              show_default=True, help="The page.")  # fmt: skip
@click.option("--images", type=click.Path(file_okay=False, path_type=Path), envvar="FASTREID_DATASETS",
              default=Path("datasets"), show_default="$FASTREID_DATASETS, or datasets",
              help="The folder that holds the data set.")  # fmt: skip
@click.option("--method", default="entropy", show_default=True, help="Score to rank by.")
@click.option(
    "--ratio", type=float, default=0.3, show_default=True, help="The ratio that the page starts at."
)
@click.option(
    "--suspects", type=click.IntRange(1), default=200, show_default=True, help="Suspects on a page."
)
@click.option("--pages", type=click.IntRange(0), default=1, show_default=True,
              help="Pages of suspects at most; 0 for as many as there are.")  # fmt: skip
@click.option(
    "--retrained", multiple=True, metavar="NAME=RUN", help="A run trained on what is kept. Repeatable."
)
def command(
    run: Path,
    output: Path,
    images: Path,
    method: str,
    ratio: float,
    suspects: int,
    pages: int,
    retrained: tuple[str, ...],
) -> None:
    """Write the page of RUN, the output folder of a scored run: what was found, and a place to decide."""
    from fastreid_prune.report import write_report

    summary = write_report(
        run, output, images=images, method=method, ratio=ratio, suspects=suspects, pages=pages,
        retrained=dict(map(_named, retrained)),
    )  # fmt: skip
    rows = [
        ("judged wrong", summary.flagged),
        ("soft label disagrees", summary.suspects - summary.flagged),
        ("of these on the pages", summary.shown),
        ("pictures", summary.pictures),
    ]
    print_table(
        "Suspects" if summary.judged else "Suspects (this run has not been judged: fastreid-prune judge)",
        rows,
    )
    if summary.missing:
        click.echo(
            f"{summary.missing} pictures are missing: not found under {images}. Give the folder with --images."
        )
    for path, size in zip(summary.pages, summary.sizes, strict=True):
        click.echo(f"page: {path} ({size / 1e6:.1f} MB)")
    click.echo(f"Then: fastreid-prune prune {run} --ratio {ratio:g} --decisions decisions.csv")
    if summary.findings:
        click.echo("      and for what was decided on identities: --decisions identities.csv")


def _named(text: str) -> tuple[str, str]:
    name, equals, folder = text.partition("=")
    if not (name and equals and folder):
        raise click.BadParameter(f"{text!r}, expected NAME=RUN: a name for the table and a run's folder.")
    return name, folder
