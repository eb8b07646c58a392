"""From a path to the table of a data set."""

import difflib
import os
import re
from pathlib import Path

import numpy as np

from fastreid_prune.datasets import registry
from fastreid_prune.datasets.folder import Folder, list_folder
from fastreid_prune.datasets.layouts import flat
from fastreid_prune.datasets.layouts.table import read_one_table
from fastreid_prune.datasets.names import given_pattern
from fastreid_prune.datasets.registry import Layout
from fastreid_prune.datasets.splits import UNUSED, split_of
from fastreid_prune.datasets.table import GALLERY, QUERY, TRAIN, Dataset, Rows
from fastreid_prune.datasets.table_files import ENDINGS, LISTS
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.images import is_image_name
from fastreid_prune.io.names import check_names, examples

AUTO = "auto"
# files that are called after what they hold, not after the data set
_NO_NAMES = ("metadata", "dataset", "data", "labels", "annotations", "index", "table")
_PATTERN_HINT = (
    r"pattern of the file names, such as '(?P<pid>\d+)_c(?P<camid>\d+)', or of paths, such as "
    r"'cam_(?P<camid>\w+)/(?P<pid>\d+)'."
)
# fastreid's word for a data set, by what is in the names of its folders
_KNOWN_NAMES = (
    ("market", "market1501"),
    ("duke", "dukemtmc"),
    ("msmt17", "msmt17"),
    ("cuhk03", "cuhk03"),
    ("veri-wild", "veriwild"),
    ("veriwild", "veriwild"),
    ("vehicleid", "vehicleid"),
)


def read(path: str | os.PathLike, layout: str = AUTO, pattern: str | None = None) -> Dataset:
    r"""Read a data set, however it lies on disk. No image is opened.

    Args:
        path: its folder, or the folder that holds it, or a table (CSV, TSV, JSON lines, Parquet, a manifest of ours).
        layout: one of :func:`.registry.layouts`; ``auto`` takes the first that fits.
        pattern: how the files' names say who they show: a regular expression with the group ``pid`` and, if need be,
            ``camid``, such as ``(?P<pid>\d+)_c(?P<camid>\d+)``.

    Returns:
        The table, with what was skipped and why.

    Raises:
        FastreidPruneError: nothing there, no layout fits, several data sets are there, or a file or line is not as its
            layout has it.
    """
    path = Path(path).expanduser()
    rows = Rows()
    if path.is_file():
        return _read_file(path, rows)
    if not path.is_dir():
        raise FastreidPruneError(
            f"{path}: no such file or folder.{_nearest(path)} Give a data set's folder, or a table."
        )
    folder = list_folder(path)
    table = _only_table(folder) if layout == AUTO and not pattern else None
    if table is not None:
        return _read_file(table, rows)
    chosen, base = _choose(folder, layout, pattern)
    rows.notes += folder.notes
    chosen.read(folder, base, given_pattern(pattern) if pattern else None, rows)
    _tell_of_the_rest(folder, base, rows)
    return _checked(rows.dataset(_name(path, base, chosen), chosen.name, path.absolute()))


def _tell_of_the_rest(folder: Folder, base: str, rows: Rows) -> None:
    """Count the files of a folder that its layout did not speak of."""
    start = f"{base}/" if base else ""
    for file in folder.files:
        if file in rows.told:
            continue
        if not is_image_name(file):
            if not file.lower().endswith((*ENDINGS, ".txt", ".md")):
                rows.skip("no image, by its ending", file)
        elif not file.startswith(start):
            rows.skip(f"not in {base}, where the data set is", file)
        elif split_of(part := file[len(start) :].partition("/")[0]) == UNUSED:
            rows.skip(f"in {part}, which is for neither training nor query nor gallery", file)
        else:
            rows.skip("in no folder, and on no list, for training, query or gallery", file)


def _read_file(path: Path, rows: Rows) -> Dataset:
    if path.suffix.lower() not in (*ENDINGS, LISTS):
        raise FastreidPruneError(
            f"{path}: a folder, or a table that ends in {', '.join((*ENDINGS, LISTS))}, was expected. Unpack an "
            "archive, save a spreadsheet as CSV, and give a table without an ending one."
        )
    places = [path.parent, Path(os.environ.get("FASTREID_DATASETS", "datasets")), Path.cwd()]
    root, name = read_one_table(path, places, rows)
    # train.csv says no name
    words = [path.stem] if split_of(path.stem) is None and path.stem not in _NO_NAMES else []
    name = name or _slug(*words, path.absolute().parent.name)
    return _checked(rows.dataset(name, "table", root))


def _choose(folder: Folder, layout: str, pattern: str | None) -> tuple[Layout, str]:
    """The layout and where in the folder it begins."""
    if layout != AUTO:
        wanted = registry.get(layout)
        places = wanted.find(folder)
        if not places and wanted.name == flat.NAME and pattern:
            places = [""]
        if not places:
            raise FastreidPruneError(f"{folder.path}: not in the layout {wanted.name}: {wanted.looks_like}.")
        return wanted, _only(folder, wanted, places)
    if not folder.images and not any(file.endswith(ENDINGS) for file in folder.files):
        raise FastreidPruneError(
            f"{folder.path}: no image in it, nor in its folders. Found {len(folder.files)} files"
            f"{': ' + examples(folder.files) if folder.files else ''}."
        )
    if pattern:
        return registry.get(flat.NAME), ""
    for candidate in registry.layouts():
        places = candidate.find(folder)
        if places:
            return candidate, _only(folder, candidate, places)
    raise FastreidPruneError(_nothing_fits(folder))


def _only_table(folder: Folder) -> Path | None:
    """The one table of a folder in which nothing else says who is shown, whatever it is called."""
    tables = [file for file in folder.files if "/" not in file and file.lower().endswith(ENDINGS)]
    fits = len(tables) == 1 and not any(one.find(folder) for one in registry.layouts())
    return folder.path / tables[0] if fits else None


def _only(folder: Folder, layout: Layout, places: list[str]) -> str:
    if len(places) > 1:
        raise FastreidPruneError(
            f"{folder.path}: {len(places)} data sets in the layout {layout.name} are there: {examples(places)}. Give "
            "the path of one."
        )
    return places[0]


def _nothing_fits(folder: Folder) -> str:
    count = len(folder.images)
    shown = examples(folder.images, count)
    places = {file.rpartition("/")[0] for file in folder.images}
    if len(places) == 1 and (place := places.pop()):
        return (
            f"{folder.path}: all {count} images are in the folder {place!r}, and their names ({shown}) do not say who "
            "they show. Of one identity there is nothing to be told apart: give a folder for each, a table, or a "
            f"{_PATTERN_HINT}"
        )
    known = "\n".join(f"  {one.name}: {one.looks_like}" for one in registry.layouts())
    tables = [file for file in folder.files if file.lower().endswith((*ENDINGS, LISTS))]
    table = f" Is its table one of {examples(tables, len(tables))}? Then give its path." if tables else ""
    return (
        f"{folder.path}: {count} images ({shown}), and nothing that says who they show.{table} Known are\n"
        f"{known}\nOr give a {_PATTERN_HINT}"
    )


def _nearest(path: Path) -> str:
    siblings = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, siblings, n=1)
    return f" Did you mean {str(path.parent / near[0])!r}?" if near else ""


def _name(path: Path, base: str, layout: Layout) -> str:
    parts = [part for part in (*path.absolute().parts[-2:], *base.split("/")) if part]
    for part in reversed(parts):
        for word, name in _KNOWN_NAMES:
            if word in part.lower():
                return name
    return layout.name if layout.name in ("veri", "msmt17") else _slug(parts[-1] if parts else "", "dataset")


def _slug(*words: str) -> str:
    """The first word that has letters or digits, these alone; an underscore would part name and identity."""
    slugs = (re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-") for word in words)
    return next((slug for slug in slugs if slug), "dataset")


def _checked(data: Dataset) -> Dataset:
    """The data set with what else a person should know.

    Raises:
        FastreidPruneError: a name that no file of ours can hold, or one listed twice in a split.
    """
    for split in (TRAIN, QUERY, GALLERY):
        check_names(data.of_split(split).file_name, f"{data.root} ({split})")
    notes = list(data.notes)
    train, query, gallery = (data.of_split(split) for split in (TRAIN, QUERY, GALLERY))
    if not (data.camid != "").any():
        notes.append("No cameras are known: rules that need them are left out.")
    elif not data.has_cameras:
        notes.append(f"The camera of {int(np.sum(data.camid == ''))} of {len(data)} images is not known.")
    if not len(query) and len(gallery):
        notes.append("There is a gallery and no query: nothing can be evaluated on it.")
    elif not len(query):
        notes.append("There are only training images: enough to score, judge and prune, not to evaluate.")
    elif not len(gallery):
        notes.append("There are queries and no gallery: nothing can be evaluated on it.")
    if len(train) > 1 and len(set(train.pid)) == len(train):
        notes.append(
            "Every training image has an identity of its own: there is nothing to learn. Is the identity in another "
            "column, or another part of the names?"
        )
    shared = set(train.pid) & set(query.pid)
    if shared:
        notes.append(
            f"{len(shared)} identities are for training and in the query ({examples(sorted(shared))}): if they are the "
            "same and not numbers that start again, results on them are too good."
        )
    return Dataset(**{**vars(data), "notes": tuple(notes)})
