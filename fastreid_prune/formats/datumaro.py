"""Datumaro's JSON (``annotations/<subset>.json``), which CVAT exports too.

An item's person is the attribute ``person_id`` of an annotation, or else the name of a label; a label such as
``outlier`` removes it. An item is known by its image's path, or by its id, which is that without the ending.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from fastreid_prune.formats.annotated import KINDS, AnnotatedImage, is_identity_attribute, take_annotations
from fastreid_prune.formats.corrected import Corrected
from fastreid_prune.formats.registry import Request, reader
from fastreid_prune.io.json_stream import head, read_file, read_values


def _detect(path: Path) -> bool:
    start = head(path) if path.suffix.lower() == ".json" else b""
    return b'"categories"' in start and (
        b'"items"' in start or b'"infos"' in start or b'"dm_format_version"' in start
    )


@reader(
    "datumaro",
    "Datumaro's JSON of annotations",
    detect=_detect,
    source="https://open-edge-platform.github.io/datumaro/latest/docs/data-formats/formats/datumaro.html",
)
def read(path: Path, request: Request) -> Corrected:
    """What the JSON says of the samples of a data set.

    Raises:
        FastreidPruneError: it is damaged, or too large.
    """
    return take_annotations(items_of(read_file(path)), path, request)


def read_items(file: IO[bytes], where: str) -> Iterator[AnnotatedImage]:
    """Each item of Datumaro's JSON."""
    return items_of(read_values(file, where))


def items_of(values: Iterator[tuple[str, Any]]) -> Iterator[AnnotatedImage]:
    """Each item of Datumaro's JSON, given its fields as they come."""
    labels: list[str] = []
    for key, value in values:
        if key == "categories":
            labels = _labels(value)
        elif key == "items" and isinstance(value, dict):
            yield _item(value, labels)


def _labels(categories: Any) -> list[str]:
    label = categories.get("label") if isinstance(categories, dict) else None
    entries = label.get("labels") if isinstance(label, dict) else None
    names = [entry.get("name") if isinstance(entry, dict) else entry for entry in entries or []]
    return [str(name)[:200] for name in names]


def _item(item: dict, labels: list[str]) -> AnnotatedImage:
    image = item.get("image")
    path = image.get("path") if isinstance(image, dict) else None
    result = AnnotatedImage(str(path or item.get("id", "")))
    annotations = item.get("annotations")
    for annotation in annotations if isinstance(annotations, list) else []:
        if not isinstance(annotation, dict):
            continue
        number = annotation.get("label_id")
        if isinstance(number, int) and 0 <= number < len(labels) and labels[number].lower() not in KINDS:
            result.labels.append(labels[number])
        attributes = annotation.get("attributes")
        for name, value in attributes.items() if isinstance(attributes, dict) else ():
            if is_identity_attribute(name) and isinstance(value, (str, int, float)) and str(value).strip():
                result.identities.append(str(value).strip()[:200])
    return result
