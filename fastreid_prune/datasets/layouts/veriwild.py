"""VERI-Wild: lists of images, and a table that says which camera took each."""

from pathlib import Path

from fastreid_prune.datasets.folder import Folder, inside
from fastreid_prune.datasets.lists import by_stem, largest_list, read_lines
from fastreid_prune.datasets.names import NamePattern, plain_number
from fastreid_prune.datasets.registry import layout
from fastreid_prune.datasets.table import GALLERY, QUERY, TRAIN, Rows
from fastreid_prune.errors import FastreidPruneError

_SPLIT, _INFO = "train_test_split", "vehicle_info.txt"


def _find(folder: Folder) -> list[str]:
    return [
        base for base in folder.parents_of(_SPLIT) if inside(base, f"{_SPLIT}/{_INFO}") in set(folder.files)
    ]


@layout(
    "veriwild",
    looks_like="train_test_split/train_list.txt and train_test_split/vehicle_info.txt beside the folder images",
    source="Lou et al., A Large-Scale Dataset for Vehicle Re-Identification in the Wild, CVPR 2019",
    also=("veri-wild",),
    order=10,
    find=_find,
)
def read_veriwild(folder: Folder, base: str, pattern: NamePattern | None, rows: Rows) -> None:
    """The lists say who is shown, of several test lists the largest; vehicle_info.txt says the cameras."""
    cameras = _cameras(folder.path / base / _SPLIT / _INFO)
    images = by_stem(folder.under(inside(base, "images")))
    lists: list[tuple[str, Path | None]] = [(TRAIN, folder.file(inside(base, _SPLIT), "train_list.txt"))]
    for split, name in ((QUERY, r"test_(\d+)_query\.txt"), (GALLERY, r"test_(\d+)\.txt")):
        found = largest_list(folder, inside(base, _SPLIT), name)
        lists.append((split, found[1] if found else None))
    for split, path in lists:
        if path is None:
            rows.note(f"There is no list for {split} in {inside(base, _SPLIT)}.")
            continue
        for number, line in read_lines(path):
            vehicle, slash, image = line.partition("/")
            stem = image.partition(".")[0]
            if not slash or not stem:
                raise FastreidPruneError(
                    f"{path}, line {number}: found {line!r}, expected 'vehicle/image', such as '00001/000001.jpg'."
                )
            file = images.get(inside(base, f"images/{vehicle}/{stem}"))
            if file is None:
                rows.skip(f"{path.name} lists them, but they are not there", line)
                continue
            if stem not in cameras:
                raise FastreidPruneError(
                    f"{path}, line {number}: image {stem!r} has no line in {_INFO}, which would say its camera. Add "
                    f"'{vehicle}/{stem};camera;…' there."
                )
            rows.add(file, plain_number(vehicle), cameras[stem], split)
    if not rows.rows:
        raise FastreidPruneError(
            f"{folder.path / base}: none of the images that the lists name is there. They belong in images/vehicle/."
        )


def _cameras(path: Path) -> dict[str, str]:
    """Image -> camera."""
    cameras = {}
    for number, line in read_lines(path):
        fields = line.split(";")
        _, slash, image = fields[0].partition("/")
        if len(fields) > 1 and slash and fields[1].strip().isdigit():
            cameras[image.partition(".")[0]] = plain_number(fields[1].strip())
        elif number > 1:
            raise FastreidPruneError(
                f"{path}, line {number}: found {line!r:.200}, expected 'vehicle/image;camera;…' with the camera's "
                "number as second field."
            )
    return cameras
