"""A folder in Market-1501's layout that a person corrected: renamed images have another identity, absent ones none.

An image is recognised, in this order, by ``names.csv`` if our export wrote one, by where its link leads, by its
content, by its name. Links are not followed: where they lead is compared with the names of the data set.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats.list_files import IMAGES, IMAGES_FOLDER, NAMES
from fastreid_prune.importing.corrected import Corrected
from fastreid_prune.io.files import sha256
from fastreid_prune.io.names import unsafe
from fastreid_prune.io.tables import CsvReader
from fastreid_prune.trajectory import Samples

PERSON = re.compile(r"(-?[0-9]{1,9})_c[0-9]")


def images_folder(folder: Path) -> Path | None:
    """The folder of the training images in ``folder``; None if it has none."""
    # CVAT calls the folder after the task's subset, mostly "default"
    others = sorted(place for place in folder.glob("bounding_box_*") if place.name != "bounding_box_test")
    for place in (folder / IMAGES_FOLDER, folder / "market1501" / IMAGES_FOLDER, *others, folder):
        if place.is_dir() and next(_image_names(place), None) is not None:
            return place
    return None


def read_corrected_folder(folder: Path, samples: Samples, root: Path) -> Corrected:
    """What the folder says of the samples of a data set whose images are under ``root``.

    Raises:
        FastreidPruneError: no images in it, or a damaged ``names.csv``.
    """
    images = images_folder(folder)
    if images is None:
        raise FastreidPruneError(f"{folder}: no images in it or in {IMAGES_FOLDER}.")
    result = Corrected(samples, {"corrected folder": images.parent.name})
    rows = {name: row for row, name in enumerate(samples.file_name)}
    known = _known_names(images.parent / NAMES, rows, result)
    by_link, by_content, by_name = [], [], []
    for name in sorted(_image_names(images)):
        person = PERSON.match(name)
        if person is None:
            result.tally.note("have a name that does not start with a person and a camera", [name])
        elif name in known:
            _take(known[name], person.group(1), name, result)
        elif (images / name).is_symlink():
            by_link.append((name, person.group(1)))
        elif (images / name).is_file():
            by_content.append((name, person.group(1)))
    for name, person in by_link:
        row = rows.get(_link_target(images / name, root))
        if row is None:
            result.tally.rows += 1
            result.tally.note("are links that lead out of the data set", [name])
        else:
            _take(row, person, name, result)
    content = _Contents(samples, root, result) if by_content else None
    for name, person in by_content:
        row = content.row(images / name)
        if row is None:
            by_name.append((name, person))
        else:
            _take(row, person, name, result)
    result.index.seen |= result.present
    result.take_named([name for name, _ in by_name], [person for _, person in by_name])
    return result


def _take(row: int, person: str, name: str, result: Corrected) -> None:
    result.tally.rows += 1
    if result.present[row]:
        result.tally.note("name an image again", [name])
    else:
        result.tally.matched += 1
        result.take(row, person)


def _image_names(folder: Path) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.lower().endswith(IMAGES):
                yield entry.name


def _known_names(path: Path, rows: dict[str, int], result: Corrected) -> dict[str, int]:
    """Name in the folder -> row, as our export wrote it down."""
    known: dict[str, int] = {}
    if not path.is_file() or path.is_symlink():
        return known
    reader = CsvReader(path, ["name", "file_name"])
    for block in reader.blocks(["name", "file_name"]):
        bad = unsafe(block.column("name")) | unsafe(block.column("file_name"))
        result.tally.note("of names.csv are no names", [], int(bad.sum()))
        names, files = block.column("name").to_pylist(), block.column("file_name").to_pylist()
        for name, file, wrong in zip(names, files, bad, strict=True):
            if not wrong and file in rows and name not in known:
                known[name] = rows[file]
    return known


def _link_target(link: Path, root: Path) -> str:
    """Where a link leads, relative to ``root``; "" if elsewhere. The target itself is not touched."""
    target = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(link)), os.readlink(link)))
    base = os.path.abspath(root)
    return os.path.relpath(target, base).replace(os.sep, "/") if target.startswith(base + os.sep) else ""


class _Contents:
    """The samples that are not recognised yet, by content."""

    def __init__(self, samples: Samples, root: Path, result: Corrected):
        self.result = result
        self.paths = [root / name for name in samples.file_name]
        self.by_size: dict[int, list[int]] = defaultdict(list)
        for row, path in enumerate(self.paths):
            if path.is_file():
                self.by_size[path.stat().st_size].append(row)
        self.digests: dict[int, str] = {}

    def row(self, path: Path) -> int | None:
        """The sample with the same content as the file, the one of the most similar name where several have it."""
        rows = [row for row in self.by_size.get(path.stat().st_size, []) if not self.result.present[row]]
        if not rows:
            return None
        digest = sha256(path)
        same = [row for row in rows if self._digest(row) == digest]
        after_person = path.name.partition("_")[2]
        same.sort(
            key=lambda row: (
                self.paths[row].name != path.name,
                not self.paths[row].name.endswith(after_person),
            )
        )
        return same[0] if same else None

    def _digest(self, row: int) -> str:
        if row not in self.digests:
            self.digests[row] = sha256(self.paths[row])
        return self.digests[row]
