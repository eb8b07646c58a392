"""What is in a folder, listed once."""

import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.images import is_image_name

# what systems and programs put into folders: macOS's archives, Synology's thumbnails, Windows' and Linux' lost files
_SYSTEM = frozenset(("__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found"))


@dataclass(frozen=True)
class Folder:
    """A folder and all the files in it.

    Attributes:
        path: the folder.
        files: relative to it, with forward slashes, sorted; nothing hidden.
        notes: what is not looked at, a sentence each.
    """

    path: Path
    files: tuple[str, ...]
    notes: tuple[str, ...]

    @cached_property
    def images(self) -> tuple[str, ...]:
        """The files that have an image's ending."""
        return tuple(file for file in self.files if is_image_name(file))

    @cached_property
    def folders(self) -> frozenset[str]:
        """All folders that hold a file, at any depth, relative; "" for the folder itself."""
        return _above(self.files)

    @cached_property
    def folders_of_images(self) -> frozenset[str]:
        """The folders that hold an image, at any depth."""
        return _above(self.images)

    @cached_property
    def _children(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for place in sorted(self.folders - {""}):
            base, _, name = place.rpartition("/")
            found.setdefault(base, []).append(name)
        return found

    def children(self, base: str) -> list[str]:
        """The names of the folders in ``base``, sorted."""
        return self._children.get(base, [])

    def under(self, base: str) -> list[str]:
        """The images in ``base``, at any depth."""
        if not base:
            return list(self.images)
        # sorted: what begins with "base/" lies together; "0" is the character after "/"
        return list(self.images[bisect_left(self.images, f"{base}/") : bisect_left(self.images, f"{base}0")])

    def parents_of(self, name: str) -> list[str]:
        """The folders that hold a file or folder called ``name``, in any case of its letters."""
        every = (*self.files, *self.folders)
        return sorted({place.rpartition("/")[0] for place in every if last(place).lower() == name.lower()})

    def file(self, base: str, name: str) -> Path | None:
        """The file ``name`` in ``base``; None if it is not there."""
        path = self.path / base / name
        return path if path.is_file() else None


def last(place: str) -> str:
    """The last part of a path."""
    return place.rpartition("/")[2]


def inside(base: str, name: str) -> str:
    """The path of ``name`` in ``base``."""
    return f"{base}/{name}" if base else name


def _above(files: Iterable[str]) -> frozenset[str]:
    found = {""}
    for file in files:
        place = file.rpartition("/")[0]
        while place not in found:
            found.add(place)
            place = place.rpartition("/")[0]
    return frozenset(found)


def list_folder(path: Path) -> Folder:
    """List a folder; links to folders are followed, but not to one that the link is in.

    Raises:
        FastreidPruneError: it cannot be listed.
    """
    files: list[str] = []
    notes = Counter[str]()
    _list(path, "", (), files, notes)
    return Folder(path, tuple(sorted(files)), tuple(f"{count} {what}." for what, count in notes.items()))


def _list(
    path: Path | str, base: str, above: tuple[tuple[int, int], ...], files: list[str], notes: Counter[str]
) -> None:
    try:
        state = os.stat(path)
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError as error:
        raise FastreidPruneError(
            f"{error.filename or path}: cannot be listed ({error.strerror}). Check the folder's permissions."
        ) from error
    here = (state.st_dev, state.st_ino)
    if here in above:
        notes["links to a folder that they are in are not followed"] += 1
        return
    for entry in entries:
        is_folder = entry.is_dir()
        if entry.name.startswith(".") or entry.name in _SYSTEM:
            notes[f"hidden {'folders' if is_folder else 'files'} are not looked at"] += 1
        elif is_folder:
            _list(entry.path, inside(base, entry.name), (*above, here), files, notes)
        else:
            files.append(inside(base, entry.name))
