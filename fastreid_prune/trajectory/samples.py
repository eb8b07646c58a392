"""Who the rows of a trajectory are."""

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastreid_prune.errors import FastreidPruneError

_COLUMNS = ["file_name", "pid", "camid", "class"]


@dataclass(frozen=True)
class Samples:
    """The samples of a trajectory, one entry a row.

    Attributes:
        file_name: ``[N]`` str, the image's path relative to the data sets' root, with forward slashes.
        pid: ``[N]`` str, the given identity as the trainer names it (``market1501_2``).
        camid: ``[N]`` str, the camera as the trainer names it (``market1501_0``).
        label: ``[N]`` int64, the class: the position of the identity among all identities sorted as strings.
    """

    file_name: np.ndarray
    pid: np.ndarray
    camid: np.ndarray
    label: np.ndarray

    def __post_init__(self) -> None:
        lengths = {len(self.file_name), len(self.pid), len(self.camid), len(self.label)}
        if len(lengths) != 1:
            raise ValueError(f"samples: columns of different lengths {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.file_name)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The identity of each class, so that ``class_names[label[i]] == pid[i]``."""
        return tuple(sorted(set(self.pid.tolist())))

    @classmethod
    def from_items(cls, file_names: Sequence[str], pids: Sequence[str], camids: Sequence[str]) -> "Samples":
        """Samples from their names; the classes follow the string order of the identities, as in fastreid.

        >>> Samples.from_items(["a.jpg", "b.jpg"], ["m_10", "m_9"], ["m_0", "m_0"]).label
        array([0, 1])
        """
        pid = _strings(pids)
        index = {name: position for position, name in enumerate(sorted(set(pid.tolist())))}
        label = np.array([index[name] for name in pid.tolist()], dtype=np.int64)
        return cls(_strings(file_names), pid, _strings(camids), label)

    def write_csv(self, path: str | os.PathLike) -> None:
        """Write ``file_name,pid,camid,class``, one line a row, in row order."""
        # recording needs no table library: it is imported where a file is written
        from fastreid_prune.io.tables import write_csv

        columns = (self.file_name, self.pid, self.camid, self.label)
        write_csv(path, dict(zip(_COLUMNS, columns, strict=True)))

    @classmethod
    def read_csv(cls, path: str | os.PathLike) -> "Samples":
        """Read what :meth:`write_csv` wrote.

        Raises:
            FastreidPruneError: the file is missing, truncated or has other columns, or a class that does not
                fit its identity.
        """
        path = Path(path)
        try:
            with open(path, newline="", encoding="utf-8") as file:
                rows = list(csv.reader(file))
        except (OSError, UnicodeDecodeError) as error:
            raise FastreidPruneError(
                f"{path}: cannot be read ({error}). Copy it again from its run."
            ) from error
        if not rows or rows[0] != _COLUMNS:
            found = ",".join(rows[0]) if rows else "an empty file"
            raise FastreidPruneError(f"{path}: expected the columns {','.join(_COLUMNS)}, found {found}.")
        for number, row in enumerate(rows[1:], start=2):
            if len(row) != len(_COLUMNS) or not row[3].isdigit():
                raise FastreidPruneError(f"{path}: line {number} is not a sample: {','.join(row)!r}.")
        columns = list(zip(*rows[1:], strict=True)) or [(), (), (), ()]
        samples = cls.from_items(columns[0], columns[1], columns[2])
        given = np.array(columns[3], dtype=np.int64)
        if not np.array_equal(samples.label, given):
            line = int(np.flatnonzero(samples.label != given)[0])
            raise FastreidPruneError(
                f"{path}: line {line + 2} gives class {given[line]} to {samples.pid[line]}, which is class "
                f"{samples.label[line]} among the file's sorted identities. Rows are missing or were edited."
            )
        return samples


def _strings(values: Sequence[str]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = [str(value) for value in values]
    return array
