"""VeRi-776."""

from fastreid_prune.datasets.folder import Folder
from fastreid_prune.datasets.named_files import follows_names, read_named
from fastreid_prune.datasets.names import NamePattern
from fastreid_prune.datasets.registry import layout
from fastreid_prune.datasets.table import Rows


def _find(folder: Folder) -> list[str]:
    return [base for base in folder.parents_of("image_train") if follows_names(folder, base)]


@layout(
    "veri",
    looks_like="a folder image_train with names such as 0001_c001_00016450_0.jpg; image_query and image_test beside it",
    source="Liu et al., A Deep Learning-Based Approach to Progressive Vehicle Re-identification, ECCV 2016",
    order=20,
    find=_find,
)
def read_veri(folder: Folder, base: str, pattern: NamePattern | None, rows: Rows) -> None:
    """The names say all; the lists beside them repeat it."""
    read_named(folder, base, pattern, rows)
