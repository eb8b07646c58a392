"""Which folder, or which word in a table, stands for which split."""

from fastreid_prune.datasets.folder import Folder, inside
from fastreid_prune.datasets.table import GALLERY, QUERY, TRAIN

# in small letters, the more telling first: of several for one split the first that is there counts
WORDS = {
    TRAIN: ("bounding_box_train", "image_train", "mask_train_v2", "train_all", "train", "training"),
    QUERY: ("query", "image_query"),
    GALLERY: ("bounding_box_test", "image_test", "mask_test_v2", "gallery", "test", "testing"),
}
# splits that neither training nor evaluation uses
UNUSED = ("val", "valid", "validation", "dev")


def split_folders(folder: Folder, base: str) -> dict[str, str]:
    """Folder in ``base`` -> its split, for those whose name says one; empty where none is for training."""
    names = {name.lower(): name for name in folder.children(base)}
    found = {}
    for split, words in WORDS.items():
        present = [names[word] for word in words if word in names]
        if present:
            found[inside(base, present[0])] = split
    return found if TRAIN in found.values() else {}


def split_of(word: str) -> str | None:
    """The split that a table's word stands for; None for a word that is not known, and empty for one not used."""
    word = word.strip().lower()
    if word in UNUSED:
        return ""
    if not word:
        return TRAIN
    return next((split for split, words in WORDS.items() if word in words), None)
