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
from fastreid_prune.datasets.table import GALLERY, QUERY, TRAIN, Dataset, Rows
from fastreid_prune.datasets.table_files import ENDINGS
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.names import check_names, examples

AUTO = "auto"
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
    if folder.hidden:
        rows.note(f"{folder.hidden} hidden files are not looked at.")
    chosen.read(folder, base, given_pattern(pattern) if pattern else None, rows)
    within = f"{base}/" if base else ""
    for file in folder.files:
        if (
            file.startswith(within)
            and file not in folder.images
            and not file.lower().endswith((*ENDINGS, ".txt", ".md"))
        ):
            rows.skip("no image, by its ending", file)
    return _checked(rows.dataset(_name(path, base, chosen), chosen.name, path.absolute()))


def _read_file(path: Path, rows: Rows) -> Dataset:
    if path.suffix.lower() not in ENDINGS:
        raise FastreidPruneError(
            f"{path}: a folder, or a table that ends in {', '.join(ENDINGS)}, was expected. Rename it if it is one."
        )
    places = [path.parent, Path(os.environ.get("FASTREID_DATASETS", "datasets")), Path.cwd()]
    root, name = read_one_table(path, places, rows)
    return _checked(rows.dataset(name or _slug(path.stem, path.absolute().parent.name), "table", root))


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
    known = "\n".join(f"  {one.name}: {one.looks_like}" for one in registry.layouts())
    tables = [file for file in folder.files if file.lower().endswith(ENDINGS)]
    table = f" Is {tables[0]!r} its table? Then give its path." if tables else ""
    shown = examples(folder.images, len(folder.images))
    return (
        f"{folder.path}: {len(folder.images)} images ({shown}), and nothing that says who they show.{table} Known are\n"
        f"{known}\nOr give a pattern of the file names, such as '(?P<pid>\\d+)_c(?P<camid>\\d+)'."
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
    shared = set(train.pid) & set(query.pid)
    if shared:
        notes.append(
            f"{len(shared)} identities are for training and in the query ({examples(sorted(shared))}): if they are the "
            "same and not numbers that start again, results on them are too good."
        )
    return Dataset(**{**vars(data), "notes": tuple(notes)})
