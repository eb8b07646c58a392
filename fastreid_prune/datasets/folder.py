"""What is in a folder, listed once."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.images import is_image_name


@dataclass(frozen=True)
class Folder:
    """A folder and all the files in it.

    Attributes:
        path: the folder.
        files: relative to it, with forward slashes, sorted; nothing hidden (a name that begins with a dot).
        hidden: how many files are hidden.
    """

    path: Path
    files: tuple[str, ...]
    hidden: int

    @cached_property
    def images(self) -> tuple[str, ...]:
        """The files that have an image's ending."""
        return tuple(file for file in self.files if is_image_name(file))

    @cached_property
    def folders(self) -> frozenset[str]:
        """All folders that hold a file, at any depth, relative; "" for the folder itself."""
        found = {""}
        for file in self.files:
            place = file.rpartition("/")[0]
            while place not in found:
                found.add(place)
                place = place.rpartition("/")[0]
        return frozenset(found)

    def children(self, base: str) -> list[str]:
        """The names of the folders in ``base``, sorted."""
        start = f"{base}/" if base else ""
        inside = (place[len(start) :] for place in self.folders if place.startswith(start) and place != base)
        return sorted(name for name in inside if name and "/" not in name)

    def under(self, base: str) -> list[str]:
        """The images in ``base``, at any depth."""
        if not base:
            return list(self.images)
        return [file for file in self.images if file.startswith(f"{base}/")]

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


def list_folder(path: Path) -> Folder:
    """List a folder; links to folders are followed, each folder once.

    Raises:
        FastreidPruneError: it cannot be listed.
    """
    files: list[str] = []
    hidden, seen = 0, set()

    def stop(error: OSError) -> None:
        raise FastreidPruneError(
            f"{error.filename or path}: cannot be listed ({error.strerror}). Check the folder's permissions."
        ) from error

    for place, folders, names in os.walk(path, followlinks=True, onerror=stop):
        state = os.stat(place)
        if (state.st_dev, state.st_ino) in seen:
            folders.clear()
            continue
        seen.add((state.st_dev, state.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        relative = os.path.relpath(place, path).replace(os.sep, "/")
        base = "" if relative == "." else relative
        shown = [name for name in names if not name.startswith(".")]
        hidden += len(names) - len(shown)
        files.extend(inside(base, name) for name in shown)
    return Folder(path, tuple(sorted(files)), hidden)
