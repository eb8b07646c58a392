"""The samples of a data set as a table or a scored run has them, for data sets that nothing else can read."""

from pathlib import Path

from fastreid_prune import datasets
from fastreid_prune.datasets.layouts.table import Table
from fastreid_prune.datasets.table_files import read_table_file
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.names import check_names
from fastreid_prune.scored_run.score_table import PARQUET, ScoreTable
from fastreid_prune.trajectory import Samples


def has_samples(path: Path) -> bool:
    """Whether a path is the folder of a scored run, or a table whose identities are to be taken as they stand.

    That is a manifest or scores of ours, or a table whose images are not there. Any other is a data set of its own.
    """
    if not path.is_file():
        return _scored(path) is not None
    columns = set(read_table_file(path).columns)
    if {"action", "new_pid"} <= columns or "verdict" in columns:
        return True
    try:
        datasets.read(path)
    except FastreidPruneError:
        return True
    return False


def _scored(path: Path) -> Path | None:
    return next((place for place in (path, path / "prune") if (place / PARQUET).is_file()), None)


def read_samples(path: Path) -> Samples:
    """The samples, with identities and cameras as they stand there.

    Args:
        path: a table (CSV, TSV, JSON lines, Parquet) with the columns ``file_name``, ``pid`` (or ``label``) and, if
            need be, ``camid``: a manifest or a run's ``scores.csv`` will do; or the folder of a scored run.

    Raises:
        FastreidPruneError: neither, a column is missing, or names that are unsafe or there twice.
    """
    if path.is_dir():
        place = _scored(path)
        if place is None:
            raise FastreidPruneError(f"{path}: no {PARQUET} in it. Give a table of samples, or a scored run.")
        scored = ScoreTable.read(place)
        names, pids, camids = scored.file_name.tolist(), scored.pid.tolist(), scored.camid.tolist()
    else:
        table = Table(read_table_file(path))
        names, pids, camids = table.file_name, table.pid, table.camid
    check_names(names, str(path))
    return Samples.from_items(names, pids, camids)
