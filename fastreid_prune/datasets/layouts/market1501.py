"""Market-1501's layout, in which DukeMTMC-reID, CUHK03-NP and many repacked sets come too."""

from fastreid_prune.datasets.folder import Folder
from fastreid_prune.datasets.named_files import follows_names, read_named
from fastreid_prune.datasets.names import NamePattern
from fastreid_prune.datasets.registry import layout
from fastreid_prune.datasets.table import Rows


def _find(folder: Folder) -> list[str]:
    return [base for base in folder.parents_of("bounding_box_train") if follows_names(folder, base)]


@layout(
    "market1501",
    looks_like="a folder bounding_box_train, names such as 0002_c1s1_000451_03.jpg, and query and bounding_box_test",
    source="Zheng et al., Scalable Person Re-identification: A Benchmark, ICCV 2015",
    also=("dukemtmc", "cuhk03-np", "msmt17-market"),
    order=20,
    find=_find,
)
def read_market1501(folder: Folder, base: str, pattern: NamePattern | None, rows: Rows) -> None:
    """Any number of cameras, any identities, every image's ending; query and gallery need not be there."""
    read_named(folder, base, pattern, rows)
