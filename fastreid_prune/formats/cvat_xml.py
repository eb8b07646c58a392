"""CVAT's own XML ("CVAT for images 1.1"), image by image, in bounded memory."""

from collections.abc import Iterator
from typing import IO
from xml.parsers import expat

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats.annotated import KINDS, AnnotatedImage, is_identity_attribute
from fastreid_prune.formats.corrected import REMOVAL_TAGS
from fastreid_prune.io.names import MAX_LENGTH

MAX_BYTES = 1 << 30
MAX_DEPTH = 100
MAX_TOKEN = 16 << 20
_BLOCK = 1 << 16
_SHAPES = frozenset({"box", "polygon", "polyline", "points", "ellipse", "mask", "cuboid", "skeleton"})


def read_xml(file: IO[bytes], where: str) -> Iterator[AnnotatedImage]:
    """Each image of CVAT's XML.

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
    if handler.tracks and not handler.images:
        raise FastreidPruneError(
            f"{where}: tracks of a video, which name no images. Export the task as 'CVAT for images 1.1'."
        )


class _Handler:
    def __init__(self) -> None:
        self.finished: list[AnnotatedImage] = []
        self.image: AnnotatedImage | None = None
        self.attribute: list[str] | None = None
        self.depth = self.tracks = self.images = 0

    def taken(self) -> list[AnnotatedImage]:
        finished, self.finished = self.finished, []
        return finished

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ValueError(f"it is nested more than {MAX_DEPTH} deep")
        self.tracks += tag == "track"
        label = attributes.get("label", "")[:200]
        if tag == "image":
            self.images += 1
            self.image = AnnotatedImage(attributes.get("name", "")[: MAX_LENGTH + 1])
        elif self.image is None or len(self.image.labels) + len(self.image.identities) > 100:
            return
        elif tag == "attribute" and is_identity_attribute(attributes.get("name", "")):
            self.attribute = []
        elif (tag == "tag" and label.lower() not in KINDS) or (
            tag in _SHAPES and label.lower() in REMOVAL_TAGS
        ):
            self.image.labels.append(label)

    def text(self, text: str) -> None:
        if self.attribute is not None and len(self.attribute) < 10:
            self.attribute.append(text[:200])

    def end(self, tag: str) -> None:
        self.depth -= 1
        if tag == "attribute" and self.attribute is not None and self.image is not None:
            said, self.attribute = "".join(self.attribute).strip(), None
            if said:
                self.image.identities.append(said)
        elif tag == "image" and self.image is not None:
            self.finished.append(self.image)
            self.image = self.attribute = None

    def refuse_doctype(self, *_: object) -> None:
        raise ValueError("it declares a document type, which CVAT's XML does not")
