"""``fastreid-prune judge``: which labels are wrong, which images show no known identity."""

from contextlib import nullcontext

import click

from fastreid_prune.cli.printing import print_table
from fastreid_prune.errors import FastreidPruneError


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False))
@click.option("--rule", default="judge", show_default=True,
              help="judge: all evidence, as far as injected errors confirm it; paper: the paper's rule.")  # fmt: skip
@click.option(
    "--precision", default=0.95, show_default=True, help="Share of the verdicts that should be right."
)
@click.option("--uncalibrated", is_flag=True,
              help="Give verdicts although no errors were injected, so nothing shows how many are right.")  # fmt: skip
@click.option("--truth", type=click.Path(exists=True, dir_okay=False),
              help="truth.csv of a data set with known errors: measure the verdicts.")  # fmt: skip
@click.option("--runner", type=click.Choice(["local", "ray"]), default="local", show_default=True,
              help="ray: a Ray cluster judges blocks of the samples; the verdicts are the same.")  # fmt: skip
@click.option("--address", default="auto", show_default=True, help="Of the Ray cluster.")
def command(
    run: str, rule: str, precision: float, uncalibrated: bool, truth: str | None, runner: str, address: str
) -> None:
    """Judge the labels of RUN, the output folder of a scored run, and write the verdicts into its scores."""
    from fastreid_prune.io.ray_cluster import RayBlocks
    from fastreid_prune.purify.judge_run import judge_run
    from fastreid_prune.purify.kind_quality import HEADER

    if uncalibrated:
        if rule != "judge":
            raise FastreidPruneError(f"--uncalibrated is for --rule judge; found --rule {rule}.")
        rule = "uncalibrated"
    with RayBlocks(address) if runner == "ray" else nullcontext() as pool:
        judged = judge_run(run, rule=rule, precision=precision, truth=truth, pool=pool)
    for sentence in judged.sentences:
        click.echo(sentence)
    if judged.quality is not None:
        print_table("Compared with the truth file", judged.quality.rows())
        print_table("By kind of verdict", [one.row() for one in judged.kinds], HEADER)
    for path in judged.files:
        click.echo(f"verdicts: {path}")
    click.echo(f"Act on them with: fastreid-prune prune {run} --ratio 0 --purify")
