"""Putting a test bed into a folder: whole or not at all, and never over something else."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from fastreid_prune.datasets.truth import TruthRow, read_truth, write_truth
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.files import cannot_write

MARKER = "testbed.json"  # says that a folder is a test bed, and how it was made
TRUTH = "truth.csv"
UNFINISHED = ".unfinished"


def claim(folder: Path, root: str) -> None:
    """Make sure that ``folder`` can be written to and holds nothing, or an earlier test bed alone.

    Args:
        folder: made if need be.
        root: name of the folder in it that the new test bed's images go to.

    Raises:
        FastreidPruneError: the folder holds something else, which would be lost.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        present = {entry.name for entry in folder.iterdir()} - {UNFINISHED}
    except OSError as error:
        raise FastreidPruneError(
            f"{folder}: is no folder that can be written to ({error.strerror}). Give another."
        ) from error
    if not present:
        return
    foreign = sorted(present - {root, TRUTH, MARKER})
    if {MARKER, TRUTH} <= present and not foreign:
        known = {row.file for row in read_truth(folder / TRUTH)} | {TRUTH, MARKER}
        files = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
        foreign = [
            file.as_posix()
            for file in files
            if file.parts[0] != UNFINISHED and not file.match("list_*.txt") and file.as_posix() not in known
        ]
        if not foreign:
            return
    raise FastreidPruneError(
        f"{folder}: holds what is no test bed of ours ({', '.join((foreign or sorted(present))[:3])}). "
        "Give an empty folder, or a new one."
    )


def write_test_bed(
    folder: Path,
    root: str,
    fill: Callable[[Path], None],
    rows: Iterable[TruthRow],
    made: Mapping[str, object],
) -> None:
    """Write images, truth and marker to a folder that was claimed; an earlier test bed goes when all is there.

    Args:
        folder: as claimed.
        root: name of the folder that ``fill`` makes.
        fill: writes the images below the folder that it is given.
        rows: of ``truth.csv``.
        made: how the test bed was made, for the marker.

    Raises:
        FastreidPruneError: writing failed; what was in the folder is unchanged.
    """
    unfinished = folder / UNFINISHED
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        (unfinished / root).mkdir(parents=True)
        fill(unfinished)
        write_truth(unfinished / TRUTH, rows)
        (unfinished / MARKER).write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
        if (folder / root).exists():
            os.replace(folder / root, unfinished / "replaced")
        for name in (root, TRUTH, MARKER):
            os.replace(unfinished / name, folder / name)
        shutil.rmtree(unfinished)
    except OSError as error:
        raise cannot_write(folder / root, error) from error
