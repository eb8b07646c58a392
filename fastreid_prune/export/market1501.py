"""Market-1501's layout, corrected: what CVAT, Datumaro and every re-identification library read.

``market1501/bounding_box_train/`` holds what stays, relabelled images under their new identity's name, as links or
copies; ``names.csv`` tells which image each name is, and ``manifest.csv`` what became of the others, so that the
folder can come back once a person has corrected it.
"""

import os
import re
from pathlib import Path

import numpy as np
from rich.progress import track

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.export.folders import Images, place_image
from fastreid_prune.export.publication import Publication
from fastreid_prune.formats.list_files import IMAGES, IMAGES_FOLDER, NAMES
from fastreid_prune.io.names import person_numbers
from fastreid_prune.io.tables import write_csv
from fastreid_prune.manifest import Manifest

_NAME = re.compile(r"(-?[0-9]+)(_c[0-9]+.*)")
_LAST_NUMBER = re.compile(r"(.*_)([0-9]+)(\.[A-Za-z]+)")


def write(publication: Publication, folder: Path, images: Images) -> None:
    """Write the folder.

    Raises:
        FastreidPruneError: where the images are is not known, or one is missing.
    """
    if images.root is None:
        raise FastreidPruneError("format market1501: holds the images; say where the data sets are.")
    own = folder / "market1501"
    (own / IMAGES_FOLDER).mkdir(parents=True)
    manifest = publication.manifest
    names = market_names(manifest)
    rows = np.array([row for row in range(len(manifest)) if names[row]], np.int64)
    for row in track(rows, description=f"{publication.name}: images", transient=True):
        place_image(images.root / manifest.file_name[row], own / IMAGES_FOLDER / names[row], images.copy)
    write_csv(
        own / NAMES,
        {
            "name": names[rows],
            "file_name": manifest.file_name[rows],
            "pid": manifest.pid[rows],
            "new_pid": manifest.new_pid[rows],
            "camid": manifest.camid[rows],
        },
    )
    manifest.write(own / "manifest.csv")


def market_names(manifest: Manifest) -> np.ndarray:
    """[N] str: each sample's name in Market-1501's layout; empty for those that do not stay."""
    people, _ = person_numbers(np.concatenate([manifest.pid, manifest.new_pid[manifest.kept]]))
    cameras, own_cameras = person_numbers(manifest.camid)
    first_camera = 1 if own_cameras else 0
    names = np.full(len(manifest), "", object)
    bases = [name.rpartition("/")[2] for name in manifest.file_name]
    # a relabelled image never takes another's name, not even one that does not stay: it could be mistaken for it
    others = {base.lower() for base in bases}
    taken: set[str] = set()
    # images that keep their identity come first, so that they keep their name too
    for action in ("keep", "relabel"):
        for row in np.flatnonzero(manifest.action == action):
            base = bases[row]
            number, match = people[manifest.new_pid[row]], _NAME.fullmatch(base)
            if match and int(match.group(1)) == people[manifest.pid[row]]:
                name = f"{number:0{len(match.group(1))}}{match.group(2)}"
            else:
                suffix = os.path.splitext(base)[1]
                camera = cameras[manifest.camid[row]] + first_camera
                name = (
                    f"{number:04}_c{camera}s1_{row + 1:06}_00{suffix if suffix.lower() in IMAGES else '.jpg'}"
                )
            names[row] = _free_name(name, taken if name == base else taken | others)
            taken.add(names[row].lower())
    return names


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
