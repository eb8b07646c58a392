"""The table that every layout is read into, and what was not."""

import os
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fastreid_prune.io.names import examples
from fastreid_prune.io.tables import write_csv

TRAIN, QUERY, GALLERY = SPLITS = ("train", "query", "gallery")
COLUMNS = ("file_name", "pid", "camid", "split")


@dataclass(frozen=True)
class Skipped:
    """Files or rows that are not in the table.

    Attributes:
        reason: why, as the end of "12 files: …".
        count: how many.
        examples: the first few names.
    """

    reason: str
    count: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.count} skipped: {self.reason} ({examples(self.examples, self.count)})"


@dataclass(frozen=True)
class Dataset:
    """A data set: N images, sorted by split and name.

    Attributes:
        name: a short word for the data set, in small letters and digits.
        layout: how it lies on disk, one of :func:`.registry.layouts`.
        root: the folder that the file names are relative to.
        file_name: ``[N]`` str, with forward slashes.
        pid: ``[N]`` str, the identity. Numbers in file names are without leading zeros; what a folder's name or a
            table says is taken as it stands.
        camid: ``[N]`` str, the camera; empty where it is not known.
        split: ``[N]`` str, one of ``train``, ``query`` and ``gallery``.
        skipped: what is there and not in the table.
        notes: what else a person should know, a sentence each.
    """

    name: str
    layout: str
    root: Path
    file_name: np.ndarray
    pid: np.ndarray
    camid: np.ndarray
    split: np.ndarray
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.file_name)

    @property
    def has_cameras(self) -> bool:
        """Whether the camera of every image is known."""
        return bool(len(self)) and bool((self.camid != "").all())

    def take(self, rows: np.ndarray) -> "Dataset":
        """The data set with these rows: ``[N]`` bool or ``[n]`` int."""
        return replace(
            self,
            file_name=self.file_name[rows],
            pid=self.pid[rows],
            camid=self.camid[rows],
            split=self.split[rows],
        )

    def of_split(self, split: str) -> "Dataset":
        """The rows of one split."""
        return self.take(self.split == split)

    def counts(self) -> list[tuple[str, int, int, int]]:
        """A row a split that has images: split, images, identities, cameras (0 where they are not known)."""
        parts = ((split, self.of_split(split)) for split in SPLITS)
        return [
            (split, len(part), len(set(part.pid)), len(set(part.camid) - {""}))
            for split, part in parts
            if len(part)
        ]

    def report(self) -> list[str]:
        """What was skipped and what else to know, a line each."""
        return [*map(str, self.skipped), *self.notes]

    def write_csv(self, path: str | os.PathLike) -> None:
        """Write the table; :func:`.reading.read` reads it again.

        Raises:
            FastreidPruneError: the file cannot be written.
        """
        write_csv(path, {name: getattr(self, name) for name in COLUMNS})


class Rows:
    """What a reader collects: rows, and what it leaves out.

    Attributes:
        rows: split, file, identity, camera of each.
        notes: what a person should know, a sentence each.
        told: the files that are a row or were skipped.
    """

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str, str]] = []
        self.notes: list[str] = []
        self.told: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, list[str]] = {}

    def add(self, file: str, pid: str, camid: str, split: str) -> None:
        """An image: its file relative to the root, who it shows, in which camera, of which split."""
        self.rows.append((split, file, pid, camid))
        self.told.add(file)

    def skip(self, reason: str, file: str, line: int = 0) -> None:
        """A file that is not taken, or the line of a list that names it."""
        self._counts[reason] += 1
        self.told.add(file)
        if len(kept := self._examples.setdefault(reason, [])) < 3:
            kept.append(f"line {line}: {file}" if line else file)

    def note(self, sentence: str) -> None:
        """What a person should know besides."""
        self.notes.append(sentence)

    def reasons(self) -> list[str]:
        """What was left out, a line each."""
        return [f"{count} {reason}" for reason, count in self._counts.most_common()]

    def dataset(self, name: str, layout: str, root: Path) -> Dataset:
        """The table, sorted by split and name."""
        order = {split: place for place, split in enumerate(SPLITS)}
        rows = sorted(self.rows, key=lambda row: (order[row[0]], *row[1:]))
        split, file_name, pid, camid = (
            text(column) for column in (list(zip(*rows, strict=True)) or [()] * 4)
        )
        skipped = tuple(
            Skipped(reason, count, tuple(self._examples[reason]))
            for reason, count in self._counts.most_common()
        )
        return Dataset(name, layout, root, file_name, pid, camid, split, skipped, tuple(self.notes))


def text(values: object) -> np.ndarray:
    """``[N]`` str as an array of objects."""
    listed = list(values)  # type: ignore[call-overload]
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return array
