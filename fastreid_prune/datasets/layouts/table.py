"""A table: one row an image, with its file and its identity. Hugging Face's metadata files and our manifests too."""

import difflib
import os
import re
from pathlib import Path

from fastreid_prune.datasets.folder import Folder, inside, last
from fastreid_prune.datasets.names import NamePattern
from fastreid_prune.datasets.registry import layout
from fastreid_prune.datasets.splits import split_folders, split_of
from fastreid_prune.datasets.table import TRAIN, Rows
from fastreid_prune.datasets.table_files import ENDINGS, TableFile, read_table_file, without_point_zero
from fastreid_prune.datasets.table_names import by_other_endings, locate
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.names import dataset_names, examples

# the first that is there counts, in any case of its letters, with spaces or dashes for underscores
COLUMNS = {
    "file_name": "file_name filename file image img image_path img_path file_path filepath path image_name img_name "
    "image_file images",
    "pid": "pid label identity identity_id person_id personid person vehicle_id vehicleid individual_id individual "
    "track_id class class_name class_id target id",
    "camid": "camid camera cam camera_id cam_id cameraid",
    "split": "split subset set",
}
# what programs write where there is no value
_NOTHING = frozenset(("", "nan", "NaN", "None", "null", "NULL", "<NA>", "N/A"))
_KEEP, _RELABEL = "keep", "relabel"
_METADATA = ("metadata", "dataset")


def _find(folder: Folder) -> list[str]:
    return [""] if _tables(folder) else []


def _tables(folder: Folder) -> list[tuple[str, str]]:
    """The tables of a folder and the split of each; empty for the table's own say."""
    for name in _metadata(folder, ""):
        return [(name, "")]
    found = [
        (name, split)
        for place, split in split_folders(folder, "").items()
        for name in _metadata(folder, place)
    ]
    if found:
        return found
    # train.csv, query.csv and test.csv, with the images in a folder beside them
    named = {
        name: split_of(Path(name).stem) for name in folder.files if "/" not in name and name.endswith(ENDINGS)
    }
    return [(name, split) for name, split in named.items() if split] if TRAIN in named.values() else []


def _metadata(folder: Folder, place: str) -> list[str]:
    names = (inside(place, f"{name}{ending}") for name in _METADATA for ending in ENDINGS)
    return [name for name in names if folder.file("", name)][:1]


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
    """The tables of a folder: one for all, or one for each split, in its folder or with its name."""
    for file, split in _tables(folder):
        path = folder.path / file
        table = Table(read_table_file(path))
        root, names = table.names_under([path.parent])
        start = os.path.relpath(root, folder.path).replace(os.sep, "/")
        table.fill(rows, root, names, split, "" if start == "." else start)
    for file in folder.images:
        if file not in rows.told:
            rows.skip("not in the table", file)


class Table:
    """A table of samples: its columns found, and its rows handed on.

    Args:
        file: as read.

    Raises:
        FastreidPruneError: a column is missing.
    """

    def __init__(self, file: TableFile):
        self.path, self.lines, self._file = file.path, file.lines, file
        self.is_manifest = {"action", "new_pid"} <= set(file.columns)
        self._columns = file.columns
        self.file_name = self._column("file_name", required=True)
        self.pid = without_point_zero(self._column("pid", required=True))
        self.camid = without_point_zero(self._column("camid"))
        self.split = self._column("split")

    def names_under(self, places: list[Path]) -> tuple[Path, list[str]]:
        """As :func:`.table_names.locate`."""
        return locate(self.path, self.file_name, places)

    def fill(self, rows: Rows, root: Path, files: list[str], split: str = "", base: str = "") -> str:
        """Hand the rows on.

        Args:
            rows: what is filled.
            root: the folder that ``files`` are relative to.
            files: [N], the rows' files.
            split: of all rows; empty for what the table says.
            base: the root in the data set's folder.

        Returns:
            The data set that a manifest of ours is for; else empty.
        """
        pid, camid = self._by_action() if self.is_manifest else (self.pid, self.camid)
        name = ""
        if self.is_manifest and len(names := set(dataset_names([one for one in pid if one]))) == 1:
            name = names.pop()
            pid, camid = ([one.removeprefix(f"{name}_") for one in column] for column in (pid, camid))
        gone = {file for file in set(files) if not (root / file).is_file()}
        found = by_other_endings(root, sorted(gone))
        if found:
            rows.note(
                f"{self.path.name}: {len(found)} names have another ending or other capitals than their files "
                f"({', '.join(f'{a!r} is {b!r}' for a, b in list(found.items())[:2])})."
            )
        if not self._file.named:
            rows.note(
                f"{self.path.name}: its first line names no columns; they are taken for file and identity."
            )
        seen: dict[tuple[str, str], int] = {}
        for row, (line, listed) in enumerate(zip(self.lines, files, strict=True)):
            said = split or self._split(row, line)
            there = found.get(listed, listed)
            file = inside(base, there)
            if self.is_manifest and self._columns["action"][row] not in (_KEEP, _RELABEL):
                rows.skip("left out by the manifest", file)
            elif not said:
                rows.skip(f"the split {self.split[row]!r} is for neither training nor evaluation", file)
            elif pid[row] in _NOTHING:
                rows.skip("no identity in their row", file, line)
            elif there in gone:
                rows.skip("the table lists them, but they are not there", file)
            elif (earlier := seen.setdefault((file, said), row)) != row:
                if pid[earlier] != pid[row]:
                    raise FastreidPruneError(
                        f"{self.path}, lines {self.lines[earlier]} and {line}: {file!r} has the identity "
                        f"{pid[earlier]!r} and the identity {pid[row]!r}. Remove one of the lines."
                    )
                rows.skip("listed again", file, line)
            else:
                rows.add(file, pid[row], "" if camid[row] in _NOTHING else camid[row], said)
        return name

    def _by_action(self) -> tuple[list[str], list[str]]:
        new = self._columns["new_pid"]
        actions = self._columns["action"]
        pid = [n if a == _RELABEL else p for p, n, a in zip(self.pid, new, actions, strict=True)]
        return pid, self.camid

    def _split(self, row: int, line: int) -> str:
        said = split_of(self.split[row] or TRAIN)
        if said is None:
            raise FastreidPruneError(
                f"{self.path}, line {line}: split {self.split[row]!r} found; train, query, gallery, or val (not used) "
                "expected."
            )
        return said

    def _column(self, name: str, required: bool = False) -> list[str]:
        plain = {re.sub(r"[ -]", "_", column.lower()): column for column in reversed(self._columns)}
        for word in COLUMNS[name].split():
            if word in plain:
                return self._columns[plain[word]]
        if not required:
            return [TRAIN if name == "split" else ""] * len(self.lines)
        near = difflib.get_close_matches(name, self._columns, n=1)
        hint = f" Is it {near[0]!r}? Then rename it." if near else ""
        other = self._file.not_text
        if other:
            hint += f" What holds objects, lists or bytes is not read: {examples(other, len(other))}."
        raise FastreidPruneError(
            f"{self.path}: no column {' or '.join(COLUMNS[name].split()[:3])}; found "
            f"{examples(list(self._columns), len(self._columns), 12) or 'none'}.{hint} A table has the columns "
            "file_name and pid (or label), and may have camid and split, named in its first line."
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
    name = table.fill(rows, root, files)
    if not rows.rows:
        shown = examples(list(map(last, files)), len(files))
        raise FastreidPruneError(
            f"{path}: no row is left of {len(files)} ({shown}): {'; '.join(rows.reasons())}."
        )
    return root, name
