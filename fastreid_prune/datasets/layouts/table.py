"""A table: one row an image, with its file and its identity. Hugging Face's metadata files and our manifests too."""

import difflib
import os
from pathlib import Path

from fastreid_prune.datasets.folder import Folder, inside, last
from fastreid_prune.datasets.names import NamePattern
from fastreid_prune.datasets.registry import layout
from fastreid_prune.datasets.splits import split_folders, split_of
from fastreid_prune.datasets.table import TRAIN, Rows
from fastreid_prune.datasets.table_files import ENDINGS, TableFile, read_table_file, without_point_zero
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.names import dataset_names, examples

# the first that is there counts
COLUMNS = {
    "file_name": ("file_name", "filename", "file", "image", "image_path", "img_path", "path"),
    "pid": ("pid", "label", "identity", "person_id", "vehicle_id", "id"),
    "camid": ("camid", "camera", "cam", "camera_id", "cam_id"),
    "split": ("split", "subset"),
}
_KEEP, _RELABEL = "keep", "relabel"
_METADATA = tuple(f"{name}{ending}" for name in ("metadata", "dataset") for ending in ENDINGS)


def _find(folder: Folder) -> list[str]:
    return [""] if _tables(folder) else []


def _tables(folder: Folder) -> list[tuple[str, str]]:
    """The tables of a folder and the split of each; empty for the table's own say."""
    for name in _METADATA:
        if name in folder.files:
            return [(name, "")]
    splits = split_folders(folder, "")
    found = [(inside(place, name), split) for place, split in splits.items() for name in _METADATA]
    return [(file, split) for file, split in found if file in folder.files]


@layout(
    "table",
    looks_like="a CSV, TSV, JSON lines or Parquet file with the columns file_name and pid (or label), if need be camid "
    "and split; in a folder it is called metadata or dataset",
    source="Hugging Face's ImageFolder, and ours",
    also=("csv", "parquet", "manifest"),
    order=0,
    find=_find,
)
def read_tables(folder: Folder, base: str, pattern: NamePattern | None, rows: Rows) -> None:
    """The tables of a folder: one for all, or one in each split's folder."""
    listed: set[str] = set()
    for file, split in _tables(folder):
        place = file.rpartition("/")[0]
        table = Table(read_table_file(folder.path / file))
        names = table.names_under([folder.path / place])[1]
        table.fill(rows, [inside(place, name) for name in names], split)
        listed |= {inside(place, name) for name in names}
    for file in folder.images:
        if file not in listed:
            rows.skip("not in the table", file)


class Table:
    """A table of samples: its columns found, and its rows handed on.

    Args:
        file: as read.

    Raises:
        FastreidPruneError: a column is missing.
    """

    def __init__(self, file: TableFile):
        self.path, self.lines = file.path, file.lines
        self.is_manifest = {"action", "new_pid"} <= set(file.columns)
        self._columns = file.columns
        self.file_name = self._column("file_name", required=True)
        self.pid = without_point_zero(self._column("pid", required=True))
        self.camid = without_point_zero(self._column("camid"))
        self.split = self._column("split")

    def names_under(self, places: list[Path]) -> tuple[Path, list[str]]:
        """The folder that the file names are relative to, of ``places`` the first that has one, and the names in it.

        Raises:
            FastreidPruneError: the first images are in none of them.
        """
        first = [name for name in self.file_name if name][:20]
        if not first:
            raise FastreidPruneError(f"{self.path}: no row names a file.")
        place = next((one for one in places if any((one / name).is_file() for name in first)), None)
        if place is None:
            where = ", ".join(dict.fromkeys(str(one.absolute()) for one in places))
            raise FastreidPruneError(
                f"{self.path}: its images are not there: {first[0]!r} was looked for in {where}. File names are "
                "relative to the table's folder; put it beside the images, or write whole paths."
            )
        paths = [os.path.normpath(place.absolute() / name) for name in self.file_name]
        root = os.path.normpath(place.absolute())
        if any(not path.startswith(root + os.sep) for path in paths):
            root = os.path.commonpath([os.path.dirname(path) for path in paths])
        return Path(root), [os.path.relpath(path, root).replace(os.sep, "/") for path in paths]

    def fill(self, rows: Rows, files: list[str], split: str = "") -> str:
        """Hand the rows on; files are relative to the data set's root.

        Args:
            rows: what is filled.
            files: [N], the rows' files, relative to the data set's root.
            split: of all rows; empty for what the table says.

        Returns:
            The data set that a manifest of ours is for; else empty.
        """
        pid, camid = self._by_action() if self.is_manifest else (self.pid, self.camid)
        name = ""
        if self.is_manifest and len(names := set(dataset_names([one for one in pid if one]))) == 1:
            name = names.pop()
            pid, camid = ([one.removeprefix(f"{name}_") for one in column] for column in (pid, camid))
        seen: dict[tuple[str, str], int] = {}
        for row, (line, file) in enumerate(zip(self.lines, files, strict=True)):
            said = split or self._split(row, line)
            if self.is_manifest and self._columns["action"][row] not in (_KEEP, _RELABEL):
                rows.skip("left out by the manifest", file)
            elif not said:
                rows.skip(f"the split {self.split[row]!r} is for neither training nor evaluation", file)
            elif not pid[row].strip():
                rows.skip("no identity in their row", f"line {line}: {file}")
            elif (earlier := seen.setdefault((file, said), row)) != row:
                if pid[earlier] != pid[row]:
                    raise FastreidPruneError(
                        f"{self.path}, lines {self.lines[earlier]} and {line}: {file!r} has the identity "
                        f"{pid[earlier]!r} and the identity {pid[row]!r}. Remove one of the lines."
                    )
                rows.skip("listed again", f"line {line}: {file}")
            else:
                rows.add(file, pid[row].strip(), camid[row].strip(), said)
        return name

    def _by_action(self) -> tuple[list[str], list[str]]:
        new = self._columns["new_pid"]
        actions = self._columns["action"]
        pid = [n if a == _RELABEL else p for p, n, a in zip(self.pid, new, actions, strict=True)]
        return pid, self.camid

    def _split(self, row: int, line: int) -> str:
        said = split_of(self.split[row])
        if said is None:
            raise FastreidPruneError(
                f"{self.path}, line {line}: split {self.split[row]!r} found; train, query, gallery, or val (not used) "
                "expected."
            )
        return said

    def _column(self, name: str, required: bool = False) -> list[str]:
        # a column's name is taken in any case of its letters
        lower = {column.lower(): column for column in reversed(self._columns)}
        for word in COLUMNS[name]:
            if word in lower:
                return self._columns[lower[word]]
        if not required:
            return [TRAIN if name == "split" else ""] * len(self.lines)
        found = ", ".join(self._columns)
        near = difflib.get_close_matches(name, self._columns, n=1)
        hint = f" Is it {near[0]!r}? Then rename it." if near else ""
        raise FastreidPruneError(
            f"{self.path}: no column {' or '.join(COLUMNS[name][:3])}; found {found or 'none'}.{hint} A table has the "
            f"columns file_name and pid (or label), and may have camid and split, named in its first line."
        )


def read_one_table(path: Path, places: list[Path], rows: Rows) -> tuple[Path, str]:
    """Fill ``rows`` from the table ``path``.

    Args:
        path: the table.
        places: where its file names may begin, the more likely first.
        rows: what is filled.

    Returns:
        The root of the file names, and the name of the data set if the table is a manifest of ours (else empty).
    """
    table = Table(read_table_file(path))
    root, files = table.names_under(places)
    name = table.fill(rows, files)
    missing = [row for row in rows.rows if not (root / row[1]).is_file()]
    if missing:
        gone = {row[1] for row in missing}
        rows.rows = [row for row in rows.rows if row[1] not in gone]
        for row in missing:
            rows.skip("the table lists them, but they are not there", row[1])
    if not rows.rows:
        shown = examples(map(last, files))
        raise FastreidPruneError(
            f"{path}: no row is left of {len(files)} ({shown}): {'; '.join(rows.reasons())}."
        )
    return root, name
