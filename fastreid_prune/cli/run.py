"""``fastreid-prune run SCRIPT ARGS…``."""

import click


@click.command(
    context_settings={
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
        "help_option_names": ["-h", "--help"],
    }
)
@click.argument("script")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(script: str, arguments: tuple[str, ...]) -> None:
    """Run any fastreid training SCRIPT, unmodified, with the plug-in active. ARGUMENTS go to the script."""
    from fastreid_prune.plugin.launcher import run_script

    run_script(script, list(arguments))
