"""``scores.parquet`` and ``scores.csv`` of a scored run: one row a sample, one column a method, verdicts."""

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.tables import write_csv, write_parquet
from fastreid_prune.scored_run.verdicts import OUTLIER, Verdicts

PARQUET, CSV = "scores.parquet", "scores.csv"
IDENTITY_COLUMNS = ("file_name", "pid", "camid")
VERDICT_COLUMNS = ("verdict", "suggested_pid", "runner_up_pid", "confidence", "reason")
UNREADABLE = "unreadable"


@dataclass(frozen=True)
class ScoreTable:
    """What is known of each sample after a scored run.

    Rows are those of the trajectory, in its order, then the images that could not be read.

    Attributes:
        file_name: [N] str.
        pid: [N] str, the given identity.
        camid: [N] str.
        scores: method -> [N] float64, higher = more worth keeping; NaN where there is none.
        verdicts: what was judged; empty verdicts where nobody did.
        about: text by key, kept in the Parquet file: digests of the trajectory that the scores are from, and
            the thresholds of the verdicts.
    """

    file_name: np.ndarray
    pid: np.ndarray
    camid: np.ndarray
    scores: dict[str, np.ndarray]
    verdicts: Verdicts
    about: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.file_name)

    @property
    def unreadable(self) -> np.ndarray:
        """[N] bool: images that could not be decoded."""
        starts = np.array([reason.startswith(UNREADABLE) for reason in self.verdicts.reason], bool)
        return self.verdicts.outlier & starts

    @property
    def thresholds(self) -> dict:
        """Those of the purification that the verdicts are from, kept as JSON in ``about["thresholds"]``."""
        return json.loads(self.about.get("thresholds", "{}"))

    @property
    def judged(self) -> bool:
        """Whether anybody judged the samples that can be read."""
        return bool(((self.verdicts.verdict != "") & ~self.unreadable).any())

    @property
    def unreadable_only(self) -> Verdicts:
        """[N] what holds where no verdict is acted on: what could not be read can still not be trained on."""
        return self.verdicts.only(self.unreadable)

    def take(self, rows: np.ndarray) -> "ScoreTable":
        """The table of these rows (numbers or a mask), in their order."""
        verdicts = self.verdicts.take(rows)
        scores = {name: values[rows] for name, values in self.scores.items()}
        return ScoreTable(
            self.file_name[rows], self.pid[rows], self.camid[rows], scores, verdicts, self.about
        )

    def without(self, method: str) -> "ScoreTable":
        """The table without the scores of ``method``."""
        return replace(self, scores={name: values for name, values in self.scores.items() if name != method})

    def with_unreadable(self, entries: list[dict[str, str]]) -> "ScoreTable":
        """The table with a row for each image that could not be read (``file_name,pid,camid,error``)."""
        count = len(entries)
        named = {name: _strings([entry.get(name, "") for entry in entries]) for name in IDENTITY_COLUMNS}
        reason = _strings([f"{UNREADABLE}: {entry.get('error', '')}".rstrip(": ") for entry in entries])
        empty = _strings([""] * count)
        more = Verdicts(_strings([OUTLIER] * count), empty, empty, np.ones(count), reason)
        verdicts = Verdicts(*(_joined(getattr(self.verdicts, n), getattr(more, n)) for n in VERDICT_COLUMNS))
        return replace(
            self,
            file_name=_joined(self.file_name, named["file_name"]),
            pid=_joined(self.pid, named["pid"]),
            camid=_joined(self.camid, named["camid"]),
            scores={name: _joined(values, np.full(count, np.nan)) for name, values in self.scores.items()},
            verdicts=verdicts,
        )

    def columns(self) -> dict[str, np.ndarray]:
        """All columns in the files' order."""
        columns = {name: getattr(self, name) for name in IDENTITY_COLUMNS} | self.scores
        return columns | {name: getattr(self.verdicts, name) for name in VERDICT_COLUMNS}

    def write(self, folder: str | os.PathLike) -> tuple[Path, Path]:
        """Write ``scores.parquet`` and ``scores.csv`` into ``folder``; their paths."""
        parquet, csv = Path(folder) / PARQUET, Path(folder) / CSV
        write_csv(csv, self.columns())
        write_parquet(parquet, self.columns(), self.about)
        return parquet, csv

    @classmethod
    def read(cls, folder: str | os.PathLike) -> "ScoreTable":
        """Read the ``scores.parquet`` of a run.

        Raises:
            FastreidPruneError: the file is missing, damaged or lacks a column.
        """
        path = Path(folder) / PARQUET
        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowException) as error:
            raise FastreidPruneError(
                f"{path}: cannot be read ({error!s:.200}). Score the run again."
            ) from error
        missing = [name for name in (*IDENTITY_COLUMNS, *VERDICT_COLUMNS) if name not in table.column_names]
        if missing:
            raise FastreidPruneError(f"{path}: no column {', '.join(missing)}. Score the run again.")
        column = {name: _from_arrow(table.column(name)) for name in table.column_names}
        verdicts = Verdicts(*(column.pop(name) for name in VERDICT_COLUMNS))
        file_name, pid, camid = (column.pop(name) for name in IDENTITY_COLUMNS)
        about = {key.decode(): text.decode() for key, text in (table.schema.metadata or {}).items()}
        about.pop("ARROW:schema", None)
        return cls(file_name, pid, camid, column, verdicts, about)


def _from_arrow(column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_string(column.type):
        return column.to_numpy()
    return np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)


def _joined(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.concatenate([one, other])


def _strings(values: list[str]) -> np.ndarray:
    return np.array([*values, None], dtype=object)[:-1]
