"""PKU VehicleID: numbered images and lists of who they show; no cameras."""

from pathlib import Path

from fastreid_prune.datasets.folder import Folder, inside
from fastreid_prune.datasets.lists import by_stem, largest_list, read_lines
from fastreid_prune.datasets.names import NamePattern, plain_number
from fastreid_prune.datasets.registry import layout
from fastreid_prune.datasets.table import GALLERY, QUERY, TRAIN, Rows
from fastreid_prune.errors import FastreidPruneError

_SPLIT = "train_test_split"


def _find(folder: Folder) -> list[str]:
    present = set(folder.files)
    return [
        base
        for base in folder.parents_of(_SPLIT)
        if inside(base, f"{_SPLIT}/train_list.txt") in present
        and inside(base, f"{_SPLIT}/vehicle_info.txt") not in present
    ]


@layout(
    "vehicleid",
    looks_like="train_test_split/train_list.txt with lines 'image vehicle' beside the folder image",
    source="Liu et al., Deep Relative Distance Learning: Tell the Difference Between Similar Vehicles, CVPR 2016",
    order=10,
    find=_find,
)
def read_vehicleid(folder: Folder, base: str, pattern: NamePattern | None, rows: Rows) -> None:
    """The lists say who is shown; of several test lists the largest. Its first image of a vehicle is the gallery."""
    images = by_stem(folder.under(inside(base, "image")))
    place = inside(base, _SPLIT)
    test = largest_list(folder, place, r"test_list_(\d+)\.txt")
    for image, vehicle in _listed(folder.path / place / "train_list.txt"):
        _take(images, base, image, vehicle, TRAIN, rows)
    if test is None:
        rows.note(f"There is no test list in {place}.")
    else:
        seen: set[str] = set()
        for image, vehicle in _listed(test[1]):
            _take(images, base, image, vehicle, QUERY if vehicle in seen else GALLERY, rows)
            seen.add(vehicle)
        rows.note(f"Of each vehicle in {test[0]} the first image is the gallery, the others are queries.")
    if not rows.rows:
        raise FastreidPruneError(
            f"{folder.path / base}: none of the images that the lists name is there. They belong in the folder image."
        )


def _take(images: dict[str, str], base: str, image: str, vehicle: str, split: str, rows: Rows) -> None:
    file = images.get(inside(base, f"image/{image}"))
    if file is None:
        rows.skip("the lists name them, but they are not there", image)
    else:
        rows.add(file, vehicle, "", split)


def _listed(path: Path) -> list[tuple[str, str]]:
    """Image and vehicle, line by line."""
    listed = []
    for number, line in read_lines(path):
        fields = line.split()
        if len(fields) < 2 or not fields[1].isdigit():
            raise FastreidPruneError(
                f"{path}, line {number}: found {line!r}, expected 'image vehicle', such as '0000001 12'."
            )
        listed.append((fields[0].partition(".")[0], plain_number(fields[1])))
    return listed
