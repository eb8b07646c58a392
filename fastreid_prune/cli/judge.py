"""``fastreid-prune judge``: which labels are wrong, which images are nobody's."""

import click

from fastreid_prune.cli.printing import print_table


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False))
@click.option("--rule", default="judge", show_default=True,
              help="judge: all evidence, as far as injected errors bear it out; paper: its own rule.")  # fmt: skip
@click.option(
    "--precision", default=0.95, show_default=True, help="Share of the verdicts that should be right."
)
@click.option("--truth", type=click.Path(exists=True, dir_okay=False),
              help="truth.csv of a test bed: measure the verdicts.")  # fmt: skip
def command(run, rule, precision, truth):
    """Judge the labels of RUN, the output folder of a scored run, and write the verdicts into its scores."""
    from fastreid_prune.purify.judge_run import judge_run

    judged = judge_run(run, rule=rule, precision=precision, truth=truth)
    for sentence in judged.sentences:
        click.echo(sentence)
    if judged.quality is not None:
        print_table("Against the truth", judged.quality.rows())
    for path in judged.files:
        click.echo(f"verdicts: {path}")
    click.echo(f"Act on them with: fastreid-prune prune {run} --ratio 0 --purify")
