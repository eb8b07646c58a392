"""Text files of lines, as data sets' authors give them."""

import contextlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from fastreid_prune.datasets.folder import Folder
from fastreid_prune.errors import FastreidPruneError


@contextlib.contextmanager
def reading_text(path: Path) -> Iterator[None]:
    """Inside the block a file that cannot be opened, or is no text, is one error that names it."""
    try:
        yield
    except OSError as error:
        raise FastreidPruneError(
            f"{path}: cannot be read ({error.strerror or error}). Check the path and its permissions."
        ) from error
    except UnicodeDecodeError as error:
        raise FastreidPruneError(
            f"{path}: not UTF-8 near byte {error.start}. Save it as UTF-8, or copy it again."
        ) from None


def read_lines(path: Path) -> list[tuple[int, str]]:
    """The lines that are not empty, with their numbers from 1.

    Raises:
        FastreidPruneError: the file cannot be read, or is no text.
    """
    with reading_text(path):
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    return [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]


def by_stem(images: Iterable[str]) -> dict[str, str]:
    """File without its ending -> file, for lists that name no ending or another one."""
    return {file.rpartition(".")[0]: file for file in images}


def largest_list(folder: Folder, base: str, name: str) -> tuple[str, Path] | None:
    """Of the lists whose names fit the regular expression ``name``, with a number as its first group, the largest."""
    start = f"{base}/" if base else ""
    fitting = [
        (int(match.group(1)), file)
        for file in folder.files
        if file.startswith(start) and (match := re.fullmatch(name, file[len(start) :]))
    ]
    if not fitting:
        return None
    _, file = max(fitting)
    return file, folder.path / file
