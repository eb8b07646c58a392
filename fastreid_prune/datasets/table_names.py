"""Where the files that a table names are."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PureWindowsPath

from fastreid_prune.datasets.folder import inside
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.images import is_image_name
from fastreid_prune.io.names import examples

_LOOKED_FOR = 20


def locate(table: Path, names: Sequence[str], places: Sequence[Path]) -> tuple[Path, list[str]]:
    """The folder that the file names of a table are relative to, and the names in it.

    Backslashes are taken for slashes where no file is called so. Names are looked for in ``places``, then in the
    folders beside the table, of which one alone may have them.

    Args:
        table: for messages, and for the folders beside it.
        names: [N], as the table has them; empty where a row has none.
        places: the more likely first.

    Returns:
        The folder, and [N] paths relative to it, with forward slashes.

    Raises:
        FastreidPruneError: the first images are in none of the places, or in several folders.
    """
    names = [name.replace("\\", "/") if "\\" in name and not Path(name).exists() else name for name in names]
    first = [name for name in names if name][:_LOOKED_FOR]
    if not first:
        raise FastreidPruneError(f"{table}: no row names a file.")
    place = next((one for one in places if _has_one(one, first)), None) or _beside(table, first)
    if place is None and by_other_endings(table.parent, first):
        place = table.parent
    if place is None:
        where = ", ".join(dict.fromkeys(str(one.absolute()) for one in places))
        whole = os.path.isabs(first[0]) or PureWindowsPath(first[0]).is_absolute()
        why = "It is a whole path, of another machine or a folder that was moved. " if whole else ""
        raise FastreidPruneError(
            f"{table}: its images are not there: {first[0]!r} was looked for in {where}. {why}File names, with their "
            "endings, are relative to the table's folder; put the table beside the images, or write whole paths."
        )
    root = os.path.normpath(place.absolute())
    paths = [os.path.normpath(os.path.join(root, name)) for name in names]
    if any(not path.startswith(root + os.sep) for path in paths):
        root = os.path.commonpath([os.path.dirname(path) for path in paths])
    return Path(root), [os.path.relpath(path, root).replace(os.sep, "/") for path in paths]


def _has_one(place: Path, names: Sequence[str]) -> bool:
    return any((place / name).is_file() for name in names)


def _beside(table: Path, names: Sequence[str]) -> Path | None:
    """The folder beside the table that has one of the names."""
    found = [one for one in _folders(table.parent) if _has_one(one, names)]
    if len(found) > 1:
        shown = examples([one.name for one in found], len(found))
        raise FastreidPruneError(
            f"{table}: {names[0]!r} is in several folders beside it ({shown}). Write the folder before the names, such "
            f"as {found[0].name + '/' + names[0]!r}."
        )
    return found[0] if found else None


def _folders(place: Path) -> Iterator[Path]:
    for one in sorted(place.absolute().iterdir()):
        if one.is_dir():
            yield one


def by_other_endings(root: Path, missing: Sequence[str]) -> dict[str, str]:
    """Of names that no file in ``root`` has, those that one file alone of their folder has but for ending or case."""
    found, folders = {}, dict[str, dict[str, set[str]]]()
    for name in missing:
        place, _, wanted = name.rpartition("/")
        if place not in folders:
            folders[place] = _without_endings(root / place)
        known = folders[place]
        files = known.get(wanted.lower()) or known.get(os.path.splitext(wanted.lower())[0]) or set()
        if len(files) == 1:
            found[name] = inside(place, next(iter(files)))
    return found


def _without_endings(folder: Path) -> dict[str, set[str]]:
    """Names in small letters, with and without ending -> the images of a folder that are called so."""
    known: dict[str, set[str]] = {}
    files = [one.name for one in folder.iterdir() if is_image_name(one.name)] if folder.is_dir() else []
    for file in files:
        for key in (file.lower(), os.path.splitext(file.lower())[0]):
            known.setdefault(key, set()).add(file)
    return known
