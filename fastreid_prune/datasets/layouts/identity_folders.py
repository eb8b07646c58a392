"""One folder an identity, as in torchvision's ImageFolder, with or without folders for the splits above."""

import re

from fastreid_prune.datasets.folder import Folder, inside, last
from fastreid_prune.datasets.named_files import JUNK, JUNK_SKIPPED, follows_names
from fastreid_prune.datasets.names import NamePattern, best_known, plain_number
from fastreid_prune.datasets.registry import layout
from fastreid_prune.datasets.splits import split_folders
from fastreid_prune.datasets.table import TRAIN, Rows

# cam1, Camera_12, camera-a, CamB
_CAMERA = re.compile(r"^cam(?:era)?(?:[-_ ]?(?P<number>\d+)|[-_ ]\w+|[a-h])$", re.IGNORECASE)
# c3: with identities' folders in it; else it may be an identity's name
_SHORT = re.compile(r"^c[-_ ]?(?P<number>\d+)$", re.IGNORECASE)
# folders that a single one of is no identity, but holds them
_MAX_DESCENT = 4


def _find(folder: Folder) -> list[str]:
    base = ""
    for _ in range(_MAX_DESCENT):
        places = _training_places(folder, base)
        names = [
            name for place in places for name in folder.children(place) if _has_image(folder, place, name)
        ]
        if len(names) > 1:
            of_cameras = all(_CAMERA.match(name) for name in names) and not _cameras_above(folder, places)
            by_names = _cameras_above(folder, places) and follows_names(folder, base)
            return [] if of_cameras or by_names else [base]
        children = folder.children(base)
        if len(children) != 1:
            return []
        base = inside(base, children[0])
    return []


def _training_places(folder: Folder, base: str) -> list[str]:
    return [place for place, split in split_folders(folder, base).items() if split == TRAIN] or [base]


def _has_image(folder: Folder, place: str, name: str) -> bool:
    return inside(place, name) in folder.folders_of_images


def _cameras_above(folder: Folder, places: list[str]) -> bool:
    """Whether the training folders hold folders of cameras alone, and these hold folders of identities alone."""
    names = [name for place in places for name in folder.children(place)]
    deep = all(_below(place, file).count("/") > 1 for place in places for file in folder.under(place))
    return deep and all(_CAMERA.match(name) or _SHORT.match(name) for name in names)


def _below(place: str, file: str) -> str:
    return file[len(place) + 1 :] if place else file


@layout(
    "identity_folders",
    looks_like="a folder for each identity with its images in it; train, query and gallery may be above, and cameras' "
    "folders above or below",
    source="torchvision's ImageFolder",
    also=("imagefolder",),
    order=30,
    find=_find,
)
def read_identity_folders(folder: Folder, base: str, pattern: NamePattern | None, rows: Rows) -> None:
    """The identity is the folder's name; the camera is read from a folder ``cam1`` in or above it, or from names."""
    splits = split_folders(folder, base) or {base: TRAIN}
    images = {place: folder.under(place) for place in splits}
    names = pattern or _saying_the_same(images)
    above = _cameras_above(folder, _training_places(folder, base))
    for place, files in images.items():
        for file in files:
            folders = _below(place, file).split("/")[:-1]
            if len(folders) < 1 + above:
                rows.skip("in no identity's folder", file)
            elif plain_number(folders[above]) == JUNK:
                rows.skip(JUNK_SKIPPED, file)
            else:
                said = names.match(file) if names else None
                around = folders[:1] if above else folders[1:]
                rows.add(file, folders[above], _camera(around) or (said[1] if said else ""), splits[place])
    if above:
        rows.note("The folders' names are those of cameras: the folders in them are taken for identities.")


def _camera(folders: list[str]) -> str:
    """The camera that a folder says: its number, or else its name."""
    found = next((match for name in folders if (match := _CAMERA.match(name) or _SHORT.match(name))), None)
    return plain_number(found["number"] or found[0]) if found else ""


def _saying_the_same(images: dict[str, list[str]]) -> NamePattern | None:
    """A known pattern that names the folder's identity in every file, and so can be believed about cameras."""
    known = best_known([file for files in images.values() for file in files])
    if known is None:
        return None
    for place, files in images.items():
        for file in files:
            said = known.match(last(file))
            identity, _, rest = _below(place, file).partition("/")
            if rest and (said is None or said[0] != plain_number(identity)):
                return None
    return known
