"""What a person did in CVAT: its own XML ("CVAT for images"), alone or zipped, or a Market-1501 archive.

In the XML, an image's person is the attribute ``person_id`` of a tag or box (as CVAT makes of a Market-1501 import),
or else a tag's label. A Market-1501 archive holds images, or without them ``images_<subset>.txt`` that name them; CVAT
writes an image there under the name that it had, so that a person changed by attribute is in the XML alone. Of an
archive only names and annotations are read, nothing is unpacked.
"""

import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from xml.parsers import expat

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats.list_files import IMAGES, IMAGES_FOLDER
from fastreid_prune.importing.corrected import NOBODY, Corrected
from fastreid_prune.importing.folder import PERSON
from fastreid_prune.io.names import MAX_LENGTH
from fastreid_prune.io.zips import ZIP_ERRORS, check_directory
from fastreid_prune.trajectory import Samples

MAX_BYTES = 1 << 30
MAX_DEPTH = 100
MAX_TOKEN = 16 << 20
_BLOCK = 1 << 16
_BATCH = 10_000
_IMAGE_LIST = re.compile(r"images_.*\.txt")
_PLACEHOLDERS = frozenset({"market-1501", "person"})


def read_annotations(path: Path, samples: Samples) -> Corrected:
    """What an ``.xml`` or ``.zip`` of CVAT's says of the samples of a data set.

    Raises:
        FastreidPruneError: it is neither, is damaged, declares a document type, or is too large.
    """
    result = Corrected(samples, {"annotations": path.name})
    try:
        if path.suffix.lower() == ".xml":
            with open(path, "rb") as file:
                _take_all(xml_entries(file, str(path)), result)
        else:
            _take_all(_archive_entries(path), result)
    except ZIP_ERRORS as error:
        raise FastreidPruneError(f"{path}: this is no whole XML or ZIP of CVAT's ({error!s:.200}).") from None
    if not result.tally.rows:
        raise FastreidPruneError(
            f"{path}: holds no annotated image. Export it as 'CVAT for images', or as 'Market-1501'."
        )
    return result


def _take_all(entries: Iterator[tuple[str, str]], result: Corrected) -> None:
    batch: list[tuple[str, str]] = []
    for entry in entries:
        batch.append(entry)
        if len(batch) == _BATCH:
            result.take_named(*zip(*batch, strict=True))
            batch.clear()
    if batch:
        result.take_named(*zip(*batch, strict=True))


def _archive_entries(path: Path) -> Iterator[tuple[str, str]]:
    check_directory(path)
    with zipfile.ZipFile(path) as archive:
        names = [member.filename for member in archive.infolist()]
        annotations = [name for name in names if PurePosixPath(name).name == "annotations.xml"]
        lists = [name for name in names if _IMAGE_LIST.fullmatch(PurePosixPath(name).name)]
        if annotations:
            with archive.open(annotations[0]) as file:
                yield from xml_entries(file, str(path))
        elif any(_is_image(name) for name in names):
            yield from _market_entries(lambda: iter(names))
        else:
            for name in lists:
                yield from _market_entries(lambda name=name: _lines(archive, name, path))


def _market_entries(names: Callable[[], Iterator[str]]) -> Iterator[tuple[str, str]]:
    """(name, person) of the training images; where no folder is called so, of all."""
    train_only = any(_in_train(name) for name in names())
    for name in names():
        person = PERSON.match(PurePosixPath(name).name)
        if person and _is_image(name) and (_in_train(name) or not train_only):
            yield name, person.group(1)


def _is_image(name: str) -> bool:
    return name.lower().endswith(IMAGES)


def _in_train(name: str) -> bool:
    return IMAGES_FOLDER in PurePosixPath(name).parts[:-1]


def _lines(archive: zipfile.ZipFile, name: str, path: Path) -> Iterator[str]:
    size = 0
    with archive.open(name) as file:
        while line := file.readline(MAX_LENGTH + 1):
            size += len(line)
            if size > MAX_BYTES:
                raise FastreidPruneError(f"{path}: more than {MAX_BYTES >> 30} GiB of names.")
            yield line.decode("utf-8", "replace").strip()


def xml_entries(file: BinaryIO, where: str) -> Iterator[tuple[str, str]]:
    """(image name, person) of each image of CVAT's XML that has a person, in bounded memory.

    Raises:
        FastreidPruneError: it is not well-formed, declares a document type, is nested more than 100 deep, or is
            larger than 1 GiB, or one tag of it than 16 MiB.
    """
    handler = _Handler()
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = handler.start, handler.end
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = handler.refuse_doctype
    size = 0
    try:
        while block := file.read(_BLOCK):
            size += len(block)
            if size > MAX_BYTES:
                raise FastreidPruneError(f"{where}: more than {MAX_BYTES >> 30} GiB of XML.")
            parser.Parse(block, False)
            if size - parser.CurrentByteIndex > MAX_TOKEN:
                raise FastreidPruneError(f"{where}: a tag of more than {MAX_TOKEN >> 20} MiB.")
            yield from handler.taken()
        parser.Parse(b"", True)
        yield from handler.taken()
    except expat.ExpatError as error:
        raise FastreidPruneError(f"{where}: this is no well-formed XML ({error}).") from None


class _Handler:
    def __init__(self) -> None:
        self.entries: list[tuple[str, str]] = []
        self.image: str | None = None
        self.person: str | None = None
        self.label: str | None = None
        self.attribute: list[str] | None = None
        self.depth = 0

    def taken(self) -> list[tuple[str, str]]:
        entries, self.entries = self.entries, []
        return entries

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ValueError(f"it is nested more than {MAX_DEPTH} deep")
        if tag == "image":
            self.image = attributes.get("name", "")[: MAX_LENGTH + 1]
            self.person = self.label = None
        elif self.image is not None and tag == "attribute" and attributes.get("name") == "person_id":
            self.attribute = []
        elif self.image is not None and tag == "tag":
            label = attributes.get("label", "")[:200]
            if label.lower() not in _PLACEHOLDERS:
                self.label = "outlier" if label.lower() in NOBODY else label

    def text(self, text: str) -> None:
        if self.attribute is not None and len(self.attribute) < 10:
            self.attribute.append(text[:200])

    def end(self, tag: str) -> None:
        self.depth -= 1
        if tag == "attribute" and self.attribute is not None:
            self.person, self.attribute = "".join(self.attribute), None
        elif tag == "image" and self.image is not None:
            # a label that says "nobody" counts more than the identity the image came with
            person = self.label if self.label == "outlier" or self.person is None else self.person
            if person is not None:
                self.entries.append((self.image, person))
            self.image = None

    def refuse_doctype(self, *_: object) -> None:
        raise ValueError("it declares a document type, which CVAT's XML does not")
