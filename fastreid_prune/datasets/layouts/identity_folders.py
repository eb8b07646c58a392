"""One folder an identity, as in torchvision's ImageFolder, with or without folders for the splits above."""

import re

from fastreid_prune.datasets.folder import Folder, inside, last
from fastreid_prune.datasets.names import NamePattern, best_known, plain_number
from fastreid_prune.datasets.registry import layout
from fastreid_prune.datasets.splits import UNUSED, split_folders
from fastreid_prune.datasets.table import TRAIN, Rows

_CAMERA_FOLDER = re.compile(r"^c(?:am(?:era)?)?[-_]?(?P<camid>\d+)$", re.IGNORECASE)
# folders that a single one of is no identity, but holds them
_MAX_DESCENT = 4


def _find(folder: Folder) -> list[str]:
    base = ""
    for _ in range(_MAX_DESCENT):
        splits = split_folders(folder, base)
        places = [place for place, split in splits.items() if split == TRAIN] or [base]
        if sum(len(_identities(folder, place)) for place in places) > 1:
            return [base]
        children = folder.children(base)
        if len(children) != 1:
            return []
        base = inside(base, children[0])
    return []


def _identities(folder: Folder, place: str) -> list[str]:
    return [name for name in folder.children(place) if folder.under(inside(place, name))]


@layout(
    "identity_folders",
    looks_like="a folder for each identity with its images in it; train, query and gallery may be above",
    source="torchvision's ImageFolder",
    also=("imagefolder",),
    order=30,
    find=_find,
)
def read_identity_folders(folder: Folder, base: str, pattern: NamePattern | None, rows: Rows) -> None:
    """The identity is the folder's name; the camera is read from a folder ``cam1`` in it or from names, if they say."""
    splits = split_folders(folder, base) or {base: TRAIN}
    images = {place: folder.under(place) for place in splits}
    every = [file for files in images.values() for file in files]
    names = pattern or _saying_the_same(splits, images)
    for place, files in images.items():
        start = len(place) + 1 if place else 0
        for file in files:
            parts = file[start:].split("/")
            if len(parts) < 2:
                rows.skip("in no identity's folder", file)
                continue
            said = names.match(file) if names else None
            camera = next((m["camid"] for part in parts[1:-1] if (m := _CAMERA_FOLDER.match(part))), "")
            rows.add(file, parts[0], plain_number(camera) or (said[1] if said else ""), splits[place])
    told = set(every)
    for file in folder.under(base):
        if file not in told:
            part = file[len(base) + 1 if base else 0 :].split("/")[0]
            unused = f"in {part}, which is for neither training nor query nor gallery"
            rows.skip(
                unused if part.lower() in UNUSED else "in no folder for training, query or gallery", file
            )


def _saying_the_same(splits: dict[str, str], images: dict[str, list[str]]) -> NamePattern | None:
    """A known pattern that names the folder's identity in every file, and so can be believed about cameras."""
    every = [file for files in images.values() for file in files]
    known = best_known(every)
    if known is None:
        return None
    for place, files in images.items():
        start = len(place) + 1 if place else 0
        for file in files:
            said = known.match(last(file))
            identity, _, rest = file[start:].partition("/")
            if rest and (said is None or said[0] != plain_number(identity)):
                return None
    return known
