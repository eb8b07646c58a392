"""Which folder, or which word in a table, stands for which split."""

import re

from fastreid_prune.datasets.folder import Folder, inside
from fastreid_prune.datasets.table import GALLERY, QUERY, TRAIN

# what neither training nor evaluation uses
UNUSED = ""
_WORDS = {
    **dict.fromkeys(("train", "training", "trainset", "trainval"), TRAIN),
    **dict.fromkeys(("query", "queries", "probe"), QUERY),
    **dict.fromkeys(("gallery", "test", "testing", "testset"), GALLERY),
    **dict.fromkeys(("val", "valid", "validation", "dev", "valset"), UNUSED),
}
# words that say nothing beside these: bounding_box_train, image_test, mask_train_v2, train_all
_FILLERS = frozenset(
    "all bbox bounding box boxes crops data dataset folder image images img imgs mask set split v v1 v2".split()
)


def split_of(word: str) -> str | None:
    """The split that a folder's name or a table's word stands for; None where it says none, or two.

    >>> split_of("bounding_box_train"), split_of("Test Set"), split_of("train_val"), split_of("test_probe")
    ('train', 'gallery', 'train', 'query')
    >>> split_of("val"), split_of("gt_bbox"), split_of("train_test_split"), split_of("data")
    ('', None, None, None)
    """
    parts = [part for part in re.split(r"[^a-z0-9]+", word.lower()) if part]
    if any(part not in _FILLERS and part not in _WORDS for part in parts):
        return None
    said = {_WORDS[part] for part in parts if part in _WORDS}
    if said == {TRAIN, UNUSED}:
        return TRAIN
    if said == {QUERY, GALLERY}:  # test_query
        return QUERY
    return said.pop() if len(said) == 1 else None


def split_folders(folder: Folder, base: str) -> dict[str, str]:
    """Folder in ``base`` -> its split, for those whose name says one; empty where none is for training.

    Of several for one split the one that holds all counts, else the one with the longest name. A folder for testing may
    have query and gallery in it.
    """
    found = _said_by_children(folder, base)
    if TRAIN not in found:
        return {}
    tested = found.get(GALLERY)
    if tested and QUERY not in found and QUERY in (within := _said_by_children(folder, tested)):
        del found[GALLERY]
        found |= {split: place for split, place in within.items() if split in (QUERY, GALLERY)}
    return {place: split for split, place in found.items() if split != UNUSED}


def _said_by_children(folder: Folder, base: str) -> dict[str, str]:
    """Split -> folder."""
    found: dict[str, str] = {}
    for name in sorted(folder.children(base), key=lambda name: ("all" in name.lower(), len(name), name)):
        split = split_of(name)
        if split is not None:
            found[split] = inside(base, name)
    return found
