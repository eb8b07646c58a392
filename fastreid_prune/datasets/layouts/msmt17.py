"""MSMT17, V1 and V2, as its authors give it: images in folders and lists that say who they show."""

from fastreid_prune.datasets.folder import Folder, inside
from fastreid_prune.datasets.lists import read_lines
from fastreid_prune.datasets.names import KNOWN, NamePattern, plain_number
from fastreid_prune.datasets.registry import layout
from fastreid_prune.datasets.table import GALLERY, QUERY, TRAIN, Rows
from fastreid_prune.errors import FastreidPruneError

_LISTS = ((TRAIN, "list_train.txt"), (QUERY, "list_query.txt"), (GALLERY, "list_gallery.txt"))
_VALIDATION = "list_val.txt"
_TRAIN_FOLDERS = ("train", "mask_train_v2", "mask_train")
_TEST_FOLDERS = ("test", "mask_test_v2", "mask_test")
_NAME = KNOWN[1]


def _find(folder: Folder) -> list[str]:
    return folder.parents_of("list_train.txt")


@layout(
    "msmt17",
    looks_like="list_train.txt, list_query.txt and list_gallery.txt beside the folders train and test, or mask_…_v2",
    source="Wei et al., Person Transfer GAN to Bridge Domain Gap for Person Re-Identification, CVPR 2018",
    order=10,
    find=_find,
)
def read_msmt17(folder: Folder, base: str, pattern: NamePattern | None, rows: Rows) -> None:
    """The lists say all. Numbers of test identities start again at 0: here, as in fastreid, they follow the others."""
    present = set(folder.files)
    identities: set[str] = set()
    for split, name in _LISTS:
        path = folder.file(base, name)
        if path is None:
            rows.note(f"{inside(base, name)} is not there, so there is no {split}.")
            continue
        places = _TRAIN_FOLDERS if split == TRAIN else _TEST_FOLDERS
        for number, line in read_lines(path):
            file, _, pid = line.rpartition(" ")
            said = _NAME.match(file) or (pattern.match(file) if pattern else None)
            if not pid.isdigit() or said is None:
                raise FastreidPruneError(
                    f"{path}, line {number}: found {line!r}, expected '0000/0000_000_01_0303morning_0008_0.jpg 0': a "
                    "file with its camera as third part, and an identity's number."
                )
            found = _image(base, places, file, present)
            if found is None:
                rows.skip(f"{name} lists them, but they are not there", file)
                continue
            if split == TRAIN:
                identities.add(pid)
            shown = plain_number(pid) if split == TRAIN else str(int(pid) + len(identities))
            rows.add(found, shown, said[1], split)
    validation = folder.file(base, _VALIDATION)
    if validation is not None:
        for _, line in read_lines(validation):
            file = line.rpartition(" ")[0]
            rows.skip(
                f"{_VALIDATION} has them for validation", _image(base, _TRAIN_FOLDERS, file, present) or file
            )
    if not rows.rows:
        raise FastreidPruneError(
            f"{folder.path / base}: none of the images that the lists name is there; looked in "
            f"{', '.join((*_TRAIN_FOLDERS, *_TEST_FOLDERS))}. Put the images' folders beside list_train.txt."
        )


def _image(base: str, places: tuple[str, ...], file: str, present: set[str]) -> str | None:
    """A listed file in the first of the places that has it."""
    return next((one for place in places if (one := inside(base, f"{place}/{file}")) in present), None)
