"""Market-1501's layout, corrected: what CVAT, Datumaro and every re-identification library read.

``market1501/bounding_box_train/`` holds what stays, relabelled images under their new identity's name, as links or
copies; ``names.csv`` tells which image each name is, and ``manifest.csv`` what became of the others, so that the
folder can come back once a person has corrected it: a renamed image has another identity, -1 or 0000 none.

An image that comes back is recognised, in this order, by ``names.csv``, by where its link leads, by its content, by
its name. Links are not followed: where they lead is compared with the names of the data set.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rich.progress import track

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats.contents import ContentIndex, crc32
from fastreid_prune.formats.corrected import Corrected
from fastreid_prune.formats.folders import IMAGES, Images, place_image
from fastreid_prune.formats.market_names import market_names, market_numbers
from fastreid_prune.formats.matching import NameIndex
from fastreid_prune.formats.numbering import Identities
from fastreid_prune.formats.publication import Publication
from fastreid_prune.formats.registry import Request, reader, writer
from fastreid_prune.io.names import unsafe
from fastreid_prune.io.tables import CsvReader, write_csv
from fastreid_prune.trajectory import Samples

IMAGES_FOLDER, NAMES = "bounding_box_train", "names.csv"
_PERSON = re.compile(r"(-?[0-9]{1,9})_c[0-9]")
_SOURCE = "Zheng et al., Scalable Person Re-identification: A Benchmark, ICCV 2015"


@writer("market1501", "what stays, relabelled, in Market-1501's layout (needs the images)", source=_SOURCE)
def write(publication: Publication, folder: Path, images: Images) -> list[str]:
    """Write the folder; what readers of it should know.

    Raises:
        FastreidPruneError: where the images are is not known, or one is missing.
    """
    if images.root is None:
        raise FastreidPruneError("format market1501: holds the images; say where the data sets are.")
    place = folder / "market1501"
    (place / IMAGES_FOLDER).mkdir(parents=True)
    manifest = publication.manifest
    names, notes = market_names(manifest)
    rows = np.array([row for row in range(len(manifest)) if names[row]], np.int64)
    for row in track(rows, description=f"{publication.name}: images", transient=True):
        place_image(images.root / manifest.file_name[row], place / IMAGES_FOLDER / names[row], images.copy)
    write_csv(
        place / NAMES,
        {
            "name": names[rows],
            "file_name": manifest.file_name[rows],
            "pid": manifest.pid[rows],
            "new_pid": manifest.new_pid[rows],
            "camid": manifest.camid[rows],
        },
    )
    manifest.write(place / "manifest.csv")
    return [f"{publication.name}/market1501: {note}" for note in notes]


def images_folder(folder: Path) -> Path | None:
    """The folder of the training images in ``folder``; None if it has none."""
    if not folder.is_dir():
        return None
    # CVAT calls the folder after the task's subset, mostly "default"
    others = sorted(place for place in folder.glob("bounding_box_*") if place.name != "bounding_box_test")
    for place in (folder / IMAGES_FOLDER, folder / "market1501" / IMAGES_FOLDER, *others, folder):
        if place.is_dir() and any(_PERSON.match(name) for name in _image_names(place)):
            return place
    return None


@reader(
    "market1501",
    "a folder in Market-1501's layout whose images a person renamed",
    detect=lambda path: images_folder(path) is not None,
    source=_SOURCE,
)
def read(folder: Path, request: Request) -> Corrected:
    """What the folder says of the samples of a data set.

    Raises:
        FastreidPruneError: no images in it, or a damaged ``names.csv``.
    """
    images = images_folder(folder)
    if images is None:
        raise FastreidPruneError(
            f"{folder}: no images with names of Market-1501's in it or in {IMAGES_FOLDER}."
        )
    samples, root = request.samples, request.root
    result = market_corrections(samples, {"corrected folder": images.parent.name})
    beside = images.parent / "manifest.csv"
    result.base = beside if beside.is_file() else None
    rows = {name: row for row, name in enumerate(samples.file_name)}
    known = _known_names(images.parent / NAMES, rows, result)
    files = []
    for name in sorted(_image_names(images)):
        path = images / name
        if _PERSON.match(name) is None:
            result.tally.rows += 1
            result.tally.note("have a name that does not start with a person and a camera", [name])
        elif name in known:
            _take(known[name], name, result)
        elif path.is_symlink():
            result.tally.rows += 1
            row = rows.get(_link_target(path, root))
            if row is None:
                result.tally.note("are links that lead out of the data set", [name])
            else:
                result.tally.rows -= 1
                _take(row, name, result)
        elif path.is_file():
            files.append(MarketImage(name, path.stat().st_size, partial(crc32, path)))
    take_images(files, result, root)
    return result


@dataclass(frozen=True)
class MarketImage:
    """An image named in Market-1501's way, in a folder or an archive.

    Attributes:
        name: of the file, without folders.
        size: in bytes; None where there is a name alone.
        checksum: tells the CRC-32 of the content.
    """

    name: str
    size: int | None = None
    checksum: Callable[[], int] = int


def market_corrections(samples: Samples, source: dict) -> Corrected:
    """Nothing said yet, about a data set whose identities go by their numbers in Market-1501's layout."""
    result = Corrected(samples, source)
    result.identities = Identities(samples.pid, market_numbers(samples.pid))
    return result


def take_images(images: list[MarketImage], result: Corrected, root: Path) -> None:
    """Take what the names of images say, the images being recognised by content, or else by name."""
    contents = ContentIndex(result.samples.file_name, root) if any(image.size for image in images) else None
    left: list[MarketImage] = []
    found = 0
    for image in images:
        row = None
        if contents is not None and image.size:
            row = contents.row(image.name, image.size, image.checksum, result.present)
        if row is None:
            left.append(image)
        else:
            found += 1
            _take(row, image.name, result)
    # where contents tell, a name that only ends like another's was given anew
    index = NameIndex(result.samples.file_name, renamed=not found)
    index.seen |= result.present
    people = [_person(image.name, result) for image in left]
    result.take_named(index, [image.name for image in left], people, again=False)


def has_person(name: str) -> bool:
    """Whether the name of a file starts with a person and a camera."""
    return _PERSON.match(name) is not None


def _person(name: str, result: Corrected) -> str:
    """The identity that a name gives its image; Market-1501 calls distractors 0000, and junk -1."""
    match = _PERSON.match(name)
    assert match is not None
    number = int(match.group(1))
    return result.identities.by_number(number) or (str(number) if number > 0 else "distractor")


def _take(row: int, name: str, result: Corrected) -> None:
    result.tally.rows += 1
    if result.present[row]:
        result.tally.note("name an image again", [name])
    else:
        result.tally.matched += 1
        result.take(row, _person(name, result))


def _image_names(folder: Path) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.lower().endswith(IMAGES):
                yield entry.name


def _known_names(path: Path, rows: dict[str, int], result: Corrected) -> dict[str, int]:
    """Name in the folder -> row, as our export wrote it down, which also tells whose number each is."""
    known: dict[str, int] = {}
    if not path.is_file() or path.is_symlink():
        return known
    reader = CsvReader(path, ["name", "file_name"])
    columns = [name for name in ("name", "file_name", "new_pid") if name in reader.columns]
    numbers = market_numbers(result.samples.pid)
    for block in reader.blocks(columns):
        bad = unsafe(block.column("name")) | unsafe(block.column("file_name"))
        result.tally.remark("of names.csv are no names", [], int(bad.sum()))
        names, files, *more = (block.column(name).to_pylist() for name in columns)
        for place in np.flatnonzero(~bad):
            name, file = names[place], files[place]
            if file in rows and name not in known:
                known[name] = rows[file]
                match = _PERSON.match(name)
                if more and match and more[0][place] in numbers:
                    numbers[more[0][place]] = int(match.group(1))
    result.identities = Identities(result.samples.pid, numbers)
    return known


def _link_target(link: Path, root: Path) -> str:
    """Where a link leads, relative to ``root``; "" if elsewhere. The target itself is not touched."""
    target = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(link)), os.readlink(link)))
    base = os.path.abspath(root)
    return os.path.relpath(target, base).replace(os.sep, "/") if target.startswith(base + os.sep) else ""
