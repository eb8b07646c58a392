"""``fastreid-prune doctor``."""

import sys

import click
from rich.console import Console
from rich.table import Column, Table

_SIGN = {True: "ok", False: "MISSING", None: ""}


@click.command()
def command() -> None:
    """Say what is installed, what fits, which changes to fastreid are active and why, and what to install.

    Ends with status 1 if something is missing.
    """
    from fastreid_prune.plugin.diagnosis import diagnose

    findings = diagnose()
    table = Table("", Column(overflow="fold"), "", show_header=False)
    for finding in findings:
        table.add_row(finding.what, finding.found, _SIGN[finding.fits])
    Console().print(table)
    missing = [finding for finding in findings if finding.fits is False]
    for mend in dict.fromkeys(finding.mend for finding in missing):
        click.echo(f"run: {mend}")
    if missing:
        sys.exit(1)
    click.echo("All that is needed is here.")
