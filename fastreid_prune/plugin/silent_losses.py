"""What fastreid's readers lose without a word: images by their ending, cameras by their second digit."""

import os
from collections import defaultdict

from fastreid_prune import datasets
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.names import examples
from fastreid_prune.plugin.items import Item

# readers that list *.jpg alone, and take one digit for the camera or three; and the layout that they read
READERS = {"Market1501": "market1501", "DukeMTMC": "market1501", "VeRi": "veri"}


def check_nothing_is_lost(name: str, items: list[Item]) -> None:
    """Hold fastreid's training items of a data set against what is in its folder.

    Args:
        name: of the data set, as fastreid registers it.
        items: path, identity and camera, as its reader gives them.

    Raises:
        FastreidPruneError: the reader left images out, or took several cameras for one.
    """
    if name not in READERS or not items:
        return
    folder = os.path.dirname(os.path.dirname(os.path.abspath(items[0][0])))
    try:
        ours = datasets.read(folder, layout=READERS[name]).of_split("train")
    except FastreidPruneError:
        return  # fastreid's reader makes more of it than ours
    taken = {os.path.abspath(item[0]): str(item[2]) for item in items}
    cameras: dict[str, set[str]] = defaultdict(set)
    lost = []
    for file, camera in zip(ours.file_name, ours.camid, strict=True):
        path = str(ours.root / file)
        if path not in taken:
            lost.append(file)
        else:
            cameras[taken[path]].add(camera)
    merged = [
        sorted(several, key=lambda one: (len(one), one)) for several in cameras.values() if len(several) > 1
    ]
    if not lost and not merged:
        return
    said = (
        [f"leaves out {len(lost)} of {len(ours)} training images ({examples(lost, len(lost))})"]
        if lost
        else []
    )
    said += [f"takes the cameras {', '.join(several)} for one" for several in merged]
    raise FastreidPruneError(
        f"{name}: fastreid's reader {' and '.join(said)}. To have all as it is in the folder, name the folder itself: "
        f'DATASETS.NAMES "({folder!r},)", and the same in DATASETS.TESTS.'
    )
