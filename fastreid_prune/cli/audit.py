"""``fastreid-prune audit``: any data set, one command."""

from pathlib import Path

import click
from rich.console import Console

from fastreid_prune.cli.auditing import auditing_options, print_audited, print_plan


@click.command(context_settings={"ignore_unknown_options": True})
@auditing_options
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), required=True,
              help="A new folder, or that of a call that was cut off, which goes on.")  # fmt: skip
@click.option("--truth", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="truth.csv of a data set with known errors: measure the verdicts.")  # fmt: skip
def command(
    data: str | None,
    options: tuple[str, ...],
    recipe: str,
    layout: str,
    pattern: str | None,
    hold_out: float | None,
    output: Path,
    truth: Path | None,
) -> None:
    """Read DATA, score it by a recipe that fits it and this machine, judge it, and write page, manifest and lists.

    DATA: a folder in any known layout (one folder an identity, Market-1501's, MSMT17's, ...), or a table with the
    columns file_name and pid. OPTIONS: of fastreid's configuration, such as SOLVER.MAX_EPOCH 24.
    """
    if data is None:
        raise click.UsageError("Missing argument 'DATA': a folder or a table.")
    from fastreid_prune.lab.audit import audit, plan_audit

    plan = plan_audit(
        data, output, recipe=recipe, layout=layout, pattern=pattern, hold_out=hold_out, options=options
    )
    print_plan(plan)
    print_audited(audit(plan, Console(), truth), plan)
