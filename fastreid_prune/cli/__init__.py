"""The command ``fastreid-prune``: one verb, one file. Each parses, calls the Python API once, and prints.

A verb's module is imported when the verb is used, so that ``--help`` and light commands start at once.
"""

import importlib
import logging
import os
import sys

import click

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.version import __version__

# verb -> one line of help; the module of a verb has its name (``import`` is a keyword: ``import_``)
VERBS = {
    "audit": "Any data set: score it, judge it, write page, manifest and lists.",
    "quickstart": "Score, prune, retrain on what is kept, and compare.",
    "run": "Run any fastreid training script, unmodified, with the plug-in active.",
    "demo": "Write the embedded data set, in Market-1501's layout, with its truth.csv.",
    "judge": "Find wrong labels and outliers, and say how sure that is.",
    "prune": "Write the manifest of a scored run: what to keep, relabel and drop.",
    "export": "Write lists to publish, and other tools' formats.",
    "import": "Make a manifest from lists, or from what a person corrected.",
    "report": "Write the page of a scored run: what was found, and a place to decide.",
    "merge": "Merge scored runs with different seeds into one.",
    "evaluate": "Compute Rank-k and mAP of features from anywhere.",
    "compare": "Print retrained runs side by side.",
    "sweep": "Run grids of experiments: methods, ratios, seeds; tables and figures.",
    "plant": "Copy a data set and add known errors, listed in truth.csv.",
    "weights": "Put ImageNet weights of MobileNetV2 in place, for training on CPU.",
    "doctor": "Say what is installed, what fits, and what to install.",
}


class _Verbs(click.Group):
    def list_commands(self, context: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        module = importlib.import_module(f"fastreid_prune.cli.{name if name != 'import' else 'import_'}")
        return module.command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.command(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fastreid-prune")
def group() -> None:
    """Make a re-identification training set smaller and cleaner, with the evidence in front of you."""


def _printable(text: str) -> str:
    """The text with control characters spelled out: a message may quote a file that means no good."""
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line. A user's mistake ends in one message and status 2, Ctrl-C in status 130."""
    # before torch is imported: threads that spin while they wait stand in each other's way where others compute too
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    # faiss tells which instruction sets it tries, matplotlib that it looks for fonts
    for library in ("faiss", "matplotlib"):
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        group.main(arguments, prog_name="fastreid-prune", standalone_mode=False)
    except FastreidPruneError as error:
        click.secho(f"fastreid-prune: {_printable(str(error))}", fg="red", err=True)
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.secho(
            "fastreid-prune: interrupted; what was complete is on disk. The same audit, quickstart or sweep goes on.",
            fg="red",
            err=True,
        )
        sys.exit(130)
