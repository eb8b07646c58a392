"""``fastreid-prune sweep``."""

import sys
from pathlib import Path

import click

from fastreid_prune.cli.printing import print_table


@click.command()
@click.argument("grid", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), required=True,
              help="The sweep's folder. What is done there already is not done again.")  # fmt: skip
@click.option(
    "--plan", is_flag=True, help="Say how many runs there are, the hours and the disk; train nothing."
)
@click.option("--runner", type=click.Choice(["local", "ray"]), default="local", show_default=True)
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True,
              help="Runs at a time on this machine; one a GPU.")  # fmt: skip
@click.option("--address", default="auto", show_default=True, help="Of the Ray cluster.")
@click.option("--retry-failed", is_flag=True, help="Try runs again that failed for good.")
def command(
    grid: Path, output: Path, plan: bool, runner: str, jobs: int, address: str, retry_failed: bool
) -> None:
    """Execute the experiments of GRID, a YAML file, or go on with them; then write tables and figures."""
    from fastreid_prune.lab.experiments import plan_sweep, sweep

    if plan:
        found = plan_sweep(grid, output)
        print_table(
            f"{grid}",
            [
                ("runs", found.runs),
                ("done", found.done),
                ("failed", found.failed),
                ("left", found.runs - found.done - found.failed),
                ("hours, one run at a time", f"{found.hours:.2f}"),
                ("disk in the end", f"{found.disk / 2**20:,.0f} MiB"),
                ("free", f"{found.free / 2**20:,.0f} MiB"),
            ],
        )
        if found.sampled:
            click.echo(f"Hours from a timed sample of a few steps: {', '.join(found.sampled)}.")
        return
    done = sweep(grid, output, runner=runner, jobs=jobs, address=address, retry_failed=retry_failed)
    for block in done.published.blocks[:-1]:
        if block.rows:
            print_table(block.heading, block.rows, block.header)
    for path in (done.published.html, done.published.markdown, done.published.csv, done.published.parquet):
        click.echo(f"results: {path}")
    if done.failed:
        click.echo(
            f"{len(done.failed)} runs failed; --retry-failed tries them again. Their logs are in {output}/runs."
        )
        sys.exit(1)
