"""``fastreid-prune quickstart``: the whole way, with retraining and the table."""

from pathlib import Path

import click
from rich.console import Console

from fastreid_prune.cli.auditing import auditing_options, print_audited, print_plan, print_results


@click.command(context_settings={"ignore_unknown_options": True})
@auditing_options
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path),
              help="Folder of the results.  [quickstart/NAME]")  # fmt: skip
def command(
    data: str | None,
    options: tuple[str, ...],
    recipe: str,
    layout: str,
    pattern: str | None,
    hold_out: float | None,
    output: Path | None,
) -> None:
    """Score DATA (or the embedded data set), judge and prune it, train on all, random, entropy and auto, and compare.

    DATA as for `fastreid-prune audit`. Without a test split, a fifth of the identities becomes one.
    """
    from fastreid_prune.lab.audit import plan_quickstart, quickstart

    plan, truth = plan_quickstart(
        data, output, recipe=recipe, layout=layout, pattern=pattern, hold_out=hold_out, options=options
    )
    print_plan(plan)
    done = quickstart(plan, Console(), truth)
    print_audited(done.audited, plan)
    print_results(done.results)
