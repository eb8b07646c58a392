"""One folder of images whose names say who they show, with or without folders for the splits."""

from fastreid_prune.datasets.folder import Folder
from fastreid_prune.datasets.named_files import follows_names, read_named
from fastreid_prune.datasets.names import NamePattern
from fastreid_prune.datasets.registry import layout
from fastreid_prune.datasets.table import Rows

NAME = "flat"


def _find(folder: Folder) -> list[str]:
    return [""] if folder.images and follows_names(folder, "") else []


@layout(
    NAME,
    looks_like="images named such as 0002_c1s1_000451_03.jpg, or as a given pattern says; train, query, gallery above",
    source="the names of Market-1501, MSMT17, MARS and of trackers' patches",
    order=40,
    find=_find,
)
def read_flat(folder: Folder, base: str, pattern: NamePattern | None, rows: Rows) -> None:
    """The names say all."""
    read_named(folder, base, pattern, rows)
