"""What a person did in CVAT: its own XML ("CVAT for images 1.1"), alone or zipped, or a Market-1501 archive.

In the XML, an image's person is the attribute ``person_id`` of a tag or shape (as CVAT makes of a Market-1501 import),
or else a tag's label; a tag such as ``outlier`` removes the image. Images without either keep their label. A
Market-1501 archive holds images, or without them ``images_<subset>.txt`` that name them; CVAT writes an image there
under the name that it had, so that a person changed by attribute is in the XML alone. Of an archive only names and
annotations are read, nothing is unpacked.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats.annotated import take_annotations
from fastreid_prune.formats.corrected import Corrected
from fastreid_prune.formats.cvat_xml import read_xml
from fastreid_prune.formats.datumaro import read_items
from fastreid_prune.formats.folders import IMAGES
from fastreid_prune.formats.market1501 import (
    IMAGES_FOLDER,
    MarketImage,
    has_person,
    market_corrections,
    take_images,
)
from fastreid_prune.formats.registry import Request, reader
from fastreid_prune.io.names import MAX_LENGTH
from fastreid_prune.io.zips import MAX_DIRECTORY, ZIP_ERRORS, check_directory

_IMAGE_LIST = re.compile(r"images_.*\.txt")
_TEST_FOLDERS = frozenset({"bounding_box_test", "query", "gt_bbox"})


@reader(
    "cvat",
    "an XML or ZIP from CVAT ('CVAT for images' or 'Market-1501')",
    detect=lambda path: path.suffix.lower() in (".xml", ".zip"),
    source="https://docs.cvat.ai/docs/manual/advanced/xml_format/",
)
def read(path: Path, request: Request) -> Corrected:
    """What an ``.xml`` or ``.zip`` of CVAT's says of the samples of a data set.

    Raises:
        FastreidPruneError: it is neither, is damaged, declares a document type, or is too large.
    """
    try:
        if path.suffix.lower() == ".xml":
            with open(path, "rb") as file:
                result = take_annotations(read_xml(file, str(path)), path, request)
        else:
            result = _read_archive(path, request)
    except ZIP_ERRORS as error:
        raise FastreidPruneError(f"{path}: this is no whole XML or ZIP of CVAT's ({error!s:.200}).") from None
    if not result.tally.rows:
        raise FastreidPruneError(
            f"{path}: holds no annotated image. Export it as 'CVAT for images', or as 'Market-1501'."
        )
    return result


def _read_archive(path: Path, request: Request) -> Corrected:
    check_directory(path)
    with zipfile.ZipFile(path) as archive:
        members = {member.filename: member for member in archive.infolist()}
        annotations = [name for name in members if PurePosixPath(name).name == "annotations.xml"]
        if annotations:
            with archive.open(annotations[0]) as file:
                return take_annotations(read_xml(file, str(path)), path, request)
        items = [name for name in members if PurePosixPath(name).match("annotations/*.json")]
        if items:
            with archive.open(items[0]) as file:
                return take_annotations(read_items(file, str(path)), path, request)
        images = _train_images(members)
        if not images:
            lists = [name for name in members if _IMAGE_LIST.fullmatch(PurePosixPath(name).name)]
            images = _train_images(line for name in lists for line in _lines(archive, name, path))
        result = market_corrections(request.samples, {"annotations": path.name})
        take_images([_market_image(name, members.get(name)) for name in images], result, request.root)
    return result


def _market_image(name: str, member: zipfile.ZipInfo | None) -> MarketImage:
    base = PurePosixPath(name).name
    if member is None:
        return MarketImage(base)
    return MarketImage(base, member.file_size, lambda: member.CRC)


def _train_images(names: Iterable[str]) -> list[str]:
    """Images named after a person, in folders for training or else in all but those for testing."""
    images = [
        name for name in names if name.lower().endswith(IMAGES) and has_person(PurePosixPath(name).name)
    ]
    train = [name for name in images if IMAGES_FOLDER in PurePosixPath(name).parts[:-1]]
    return train or [name for name in images if not _TEST_FOLDERS & set(PurePosixPath(name).parts[:-1])]


def _lines(archive: zipfile.ZipFile, name: str, path: Path) -> Iterator[str]:
    size = 0
    with archive.open(name) as file:
        while line := file.readline(MAX_LENGTH + 1):
            size += len(line)
            if size > MAX_DIRECTORY:
                raise FastreidPruneError(f"{path}: more than {MAX_DIRECTORY >> 20} MiB of names.")
            yield line.decode("utf-8", "replace").strip()
