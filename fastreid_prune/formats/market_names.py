r"""Names in Market-1501's layout, chosen so that every reader of it takes the same identity and camera from them.

What the readers do: fastreid and torchreid list ``*.jpg``, match ``([-\d]+)_c(\d)``, and refuse identities beyond 1501
and cameras beyond 6; layumi's scripts list ``.jpg``, take the identity up to the first ``_`` and the camera from the
one character after the first ``c``. So a name here is ``<identity>_c<camera><rest>.jpg``, the identity a number up to
1501, the camera one digit from 1 to 6, wherever a data set has no more of them.
"""

import re

import numpy as np

from fastreid_prune.io.names import person_numbers
from fastreid_prune.manifest import Manifest

MAX_IDENTITY, MAX_CAMERA = 1501, 6
# a name that stays as it is: the camera is one digit
_NAME = re.compile(r"(-?[0-9]+)(_c([1-9])(?![0-9]).*)")
_LAST_NUMBER = re.compile(r"(.*_)([0-9]+)(\.[A-Za-z]+)")
_ENDING = re.compile(r"\.(?:jpe?g|png|bmp|webp)$", re.IGNORECASE)


def market_numbers(pids: np.ndarray) -> dict[str, int]:
    """Identity -> number in Market-1501's layout.

    Its own where each has one (2 of ``market1501_2``) and none is beyond 1501; else 1, 2, ... in their order, the
    order of their numbers where each has one.

    >>> market_numbers(["veri_7", "veri_900"]), market_numbers(["7", "2301"]), market_numbers(["eve", "ann"])
    ({'veri_7': 7, 'veri_900': 900}, {'7': 1, '2301': 2}, {'ann': 1, 'eve': 2})
    """
    numbers, own = person_numbers(pids)
    if own and max(numbers.values(), default=0) > MAX_IDENTITY and len(numbers) <= MAX_IDENTITY:
        numbers = {pid: place for place, pid in enumerate(sorted(numbers, key=numbers.__getitem__), start=1)}
    return numbers


def camera_numbers(names: list[str], camids: np.ndarray) -> dict[str, int]:
    """Camera -> number in Market-1501's layout.

    What the names say (3 of ``0002_c3s1_...``) where they say one digit up to 6 for each camera; else the cameras' own
    numbers, counted from 1, where none is beyond 6; else 1, 2, ... in their order.
    """
    said: dict[str, set[int]] = {camera: set() for camera in camids}
    for name, camera in zip(names, camids, strict=True):
        match = _NAME.fullmatch(name)
        said[camera].add(int(match.group(3)) if match else 0)
    from_names = {camera: min(digits) for camera, digits in said.items()}
    clear = all(len(digits) == 1 for digits in said.values())
    distinct = len(set(from_names.values())) == len(from_names)
    if clear and distinct and all(1 <= number <= MAX_CAMERA for number in from_names.values()):
        return from_names
    numbers, own = person_numbers(camids)
    from_one = {camera: number + (min(numbers.values()) == 0) for camera, number in numbers.items()}
    if own and max(from_one.values(), default=0) <= MAX_CAMERA:
        return from_one
    return {camera: place for place, camera in enumerate(sorted(numbers, key=numbers.__getitem__), start=1)}


def market_names(manifest: Manifest) -> tuple[np.ndarray, list[str]]:
    """Each sample's name in Market-1501's layout.

    A name in it already is kept, but for the identity of a relabelled image; another becomes
    ``<identity>_c<camera>s1_<row>_00``. The ending is ``.jpg``, which is all that the readers list; what decodes images
    goes by their content.

    Returns:
        [N] str, empty for samples that do not stay; and what readers of the names should know, in sentences.
    """
    people = market_numbers(np.concatenate([manifest.pid, manifest.new_pid[manifest.kept]]))
    bases = [name.rpartition("/")[2] for name in manifest.file_name]
    cameras = camera_numbers(bases, manifest.camid)
    names = np.full(len(manifest), "", object)
    # a relabelled image never takes another's name, not even one that does not stay: it could be mistaken for it
    others = {base.lower() for base in bases}
    taken: set[str] = set()
    # images that keep their identity come first, so that they keep their name too
    for action in ("keep", "relabel"):
        for row in np.flatnonzero(manifest.action == action):
            base = bases[row]
            number, camera = people[manifest.new_pid[row]], cameras[manifest.camid[row]]
            match = _NAME.fullmatch(base) if _ENDING.search(base) else None
            if match and int(match.group(1)) == people[manifest.pid[row]] and int(match.group(3)) == camera:
                rest = _ENDING.sub(".jpg", match.group(2))
                name = f"{number:0{len(match.group(1))}}{rest}"
            else:
                name = f"{number:04}_c{camera}s1_{row + 1:06}_00.jpg"
            names[row] = _free_name(name, taken if name == base else taken | others)
            taken.add(names[row].lower())
    return names, _notes(manifest, names, bases, people, cameras)


def _free_name(name: str, taken: set[str]) -> str:
    """The name, or where it is taken, the next higher box number that is free."""
    while name.lower() in taken:
        match = _LAST_NUMBER.fullmatch(name)
        if match:
            before, number, after = match.groups()
            name = f"{before}{int(number) + 1:0{len(number)}}{after}"
        else:
            name = f"{name}_01.jpg"
    return name


def _notes(
    manifest: Manifest, names: np.ndarray, bases: list[str], people: dict[str, int], cameras: dict[str, int]
) -> list[str]:
    notes = []
    stays = manifest.action == "keep"
    renamed = int(
        sum(name != base for name, base in zip(names[stays], np.array(bases, object)[stays], strict=True))
    )
    if renamed:
        notes.append(
            f"{renamed} of {stays.sum()} images that keep their label have another name, which Market-1501's readers "
            "understand; names.csv says which image each is."
        )
    if len(cameras) > MAX_CAMERA:
        worse = ", and some take camera 10 for camera 1" if len(cameras) > 9 else ""
        notes.append(
            f"{len(cameras)} cameras, and Market-1501's layout has {MAX_CAMERA}: its readers refuse the folder{worse}. "
            "names.csv holds the cameras; for other readers choose another format."
        )
    if max(people.values(), default=0) > MAX_IDENTITY:
        notes.append(
            f"{len(people)} identities, and Market-1501's layout has {MAX_IDENTITY}: its readers refuse the folder. "
            "names.csv holds the identities; for other readers choose another format."
        )
    return notes
