"""``fastreid-prune merge``: several runs as one."""

from pathlib import Path

import click

from fastreid_prune.trajectory.runs import merge_runs


@click.command(name="merge", short_help="Merge runs over seeds into one.")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The new run folder.")
def command(runs: tuple[Path, ...], output: Path) -> None:
    """Merge the scored RUNS (same data, different seeds) into one run: mean logits, mean scores."""
    folder = merge_runs(runs, output)
    click.echo(f"{len(runs)} runs merged: {folder}")
    click.echo(f"Go on with: fastreid-prune prune {output} --ratio 0.3 -o manifest.csv")
