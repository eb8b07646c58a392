"""What a run trains on, by the truth of its test bed: the errors that a method keeps, and the near-copies."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fastreid_prune.datasets.truth import TruthRow, goes_by, read_truth
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.manifest import Manifest


@dataclass(frozen=True)
class Kept:
    """Counts of training images.

    Attributes:
        wrong_labels: that carry another identity than they show, after relabelling.
        outliers: that show no single known person.
        near_copies: beyond the first of each group of near-copies.
    """

    wrong_labels: int
    outliers: int
    near_copies: int


def kept(manifest: Path, data: str) -> Kept | None:
    """What is trained on.

    Args:
        manifest: the run's; where there is no such file, it trains on everything.
        data: the folder of the data sets.

    Returns:
        The counts; None where ``data`` has no ``truth.csv`` of a test bed, or one of other images.
    """
    truth = _truth(data)
    if truth is None:
        return None
    if not manifest.is_file():
        return _count([(row, row.given_id == row.true_id) for row in truth.values() if row.split == "train"])
    try:
        identities = Manifest.read(manifest).training_identities()
        return _count([(truth[file], goes_by(pid, truth[file].true_id)) for file, pid in identities.items()])
    except (FastreidPruneError, KeyError):
        return None


def _count(rows: Sequence[tuple[TruthRow, bool]]) -> Kept:
    groups = {row.near_copy_of or row.file for row, _ in rows}
    return Kept(
        wrong_labels=sum(not row.is_outlier and not right for row, right in rows),
        outliers=sum(row.is_outlier for row, _ in rows),
        near_copies=len(rows) - len(groups),
    )


@functools.lru_cache(maxsize=4)
def _truth(data: str) -> dict[str, TruthRow] | None:
    try:
        return {row.file: row for row in read_truth(Path(data) / "truth.csv")}
    except FastreidPruneError:
        return None  # none, or somebody's own file of that name
