"""Hugging Face's ImageFolder: ``load_dataset("imagefolder", data_dir=".../imagefolder")``.

``metadata.csv`` has a row for each image that could be read, ``label`` being the identity to train with; filter on
``action`` for what stays. Without the images, put it into the folder of the data sets. All is in a folder ``train``:
without one, "train" in a data set's own paths (``bounding_box_train``) is taken for the split, and what lies outside,
as the metadata would, is left out without a word (seen with datasets 5.2).

What comes back is the table with labels changed by hand, or a folder an identity with images moved by hand.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from rich.progress import track

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats.contents import ContentIndex, crc32
from fastreid_prune.formats.corrected import REMOVAL_TAGS, Corrected
from fastreid_prune.formats.folders import IMAGES, Images, place_image
from fastreid_prune.formats.matching import NameIndex
from fastreid_prune.formats.publication import Publication
from fastreid_prune.formats.registry import Request, reader, writer
from fastreid_prune.io.tables import CsvReader, write_csv
from fastreid_prune.manifest import OUTLIER, PRUNE

_SOURCE = "https://huggingface.co/docs/datasets/image_dataset"
TABLE = "metadata.csv"
# folders of a data set for testing, which hold no corrections
_OTHER = ("query", "bounding_box_test", "test", "val", "gallery")


@writer(
    "imagefolder",
    "Hugging Face's ImageFolder: a table of labels, with the images if they are given",
    source=_SOURCE,
)
def write(publication: Publication, folder: Path, images: Images) -> None:
    """Write ``imagefolder/train/metadata.csv``, with the images beside it where their root is known."""
    place = folder / "imagefolder" / "train"
    place.mkdir(parents=True)
    manifest, table = publication.manifest, publication.table
    rows = np.sort(publication.manifest_rows()[~table.unreadable])
    write_csv(
        place / TABLE,
        {
            "file_name": manifest.file_name[rows],
            "label": manifest.new_pid[rows],
            "given_label": manifest.pid[rows],
            "camera": manifest.camid[rows],
            "action": manifest.action[rows],
            "score": manifest.score[rows],
            "rank": manifest.rank[rows],
            "reason": manifest.reason[rows],
        },
    )
    if images.root is not None:
        for name in track(
            manifest.file_name[rows], description=f"{publication.name}: images", transient=True
        ):
            place_image(images.root / name, place / name, images.copy)


def _table(path: Path) -> Path | None:
    """The table at a path: itself, or in a folder as it was exported."""
    places = (path, path / TABLE, path / "train" / TABLE, path / "imagefolder" / "train" / TABLE)
    return next((place for place in places if place.name == TABLE and place.is_file()), None)


def _identity_folders(path: Path) -> list[Path]:
    """The folders with images right in a folder or its ``train``, if it is a folder an identity."""
    for place in (path / "train", path):
        if place.is_dir():
            folders = sorted(each for each in place.iterdir() if each.is_dir() and not each.is_symlink())
            if any(each.name.startswith("bounding_box_") for each in folders):
                return []
            found = [each for each in folders if each.name not in _OTHER and any(_images(each))]
            if found:
                return found
    return []


def _images(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.name.lower().endswith(IMAGES))


@reader(
    "imagefolder",
    "an ImageFolder's metadata.csv with its labels, or a folder an identity",
    detect=lambda path: _table(path) is not None or bool(_identity_folders(path)),
    source=_SOURCE,
)
def read(path: Path, request: Request) -> Corrected:
    """What the table, or else the folders, say of the samples of a data set.

    Raises:
        FastreidPruneError: there is neither, or the table is damaged.
    """
    table = _table(path)
    if table is not None:
        return _read_table(table, request)
    folders = _identity_folders(path)
    if not folders:
        raise FastreidPruneError(f"{path}: no {TABLE} in it, and no folder an identity with images.")
    return _read_folders(folders, request)


def _read_table(path: Path, request: Request) -> Corrected:
    samples = request.samples
    result = Corrected(samples, {"table": path.name})
    reader = CsvReader(path, ["file_name", "label"])
    columns = [name for name in ("file_name", "label", "action", "score") if name in reader.columns]
    index = NameIndex(samples.file_name)
    for block in reader.blocks(columns):
        text = {name: block.column(name).to_pylist() for name in columns}
        action = text.get("action", [""] * len(block))
        said = [_said(label, each) for label, each in zip(text["label"], action, strict=True)]
        unclear = [name for name, each in zip(text["file_name"], said, strict=True) if each is None]
        result.tally.remark("say no identity, and keep their label", unclear)
        rows = result.take_named(index, text["file_name"], said, any_name=True)
        known = rows >= 0
        result.pruned[rows[known]] = (np.array(action, object) == PRUNE)[known]
        scores = text.get("score", [""] * len(block))
        result.score[rows[known]] = np.array([_number(each) for each in scores])[known]
    result.tally.note(f"do not have {len(reader.columns)} fields", [], reader.malformed)
    return result


def _said(label: str, action: str) -> str | None:
    """The identity, or a tag that removes the image; None where the row says neither, or both."""
    if action == OUTLIER or action.lower() in REMOVAL_TAGS:
        return None if label and label.strip().lower() not in REMOVAL_TAGS else "outlier"
    return label or None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan


def _read_folders(folders: list[Path], request: Request) -> Corrected:
    samples = request.samples
    result = Corrected(samples, {"folders": folders[0].parent.name})
    contents, index = ContentIndex(samples.file_name, request.root), NameIndex(samples.file_name)
    left: list[tuple[str, str]] = []
    for folder in folders:
        for path in sorted(_images(folder)):
            row = None
            if path.is_file() and not path.is_symlink():
                size = path.stat().st_size
                row = contents.row(path.name, size, partial(crc32, path), result.present)
            if row is None:
                left.append((f"{folder.name}/{path.name}", folder.name))
            else:
                result.tally.rows += 1
                result.tally.matched += 1
                result.take(row, folder.name, any_name=True)
    index.seen |= result.present
    if left:
        names, people = zip(*left, strict=True)
        result.take_named(index, names, people, any_name=True, again=False)
    return result
