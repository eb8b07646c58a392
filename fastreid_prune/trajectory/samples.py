"""Who the rows of a trajectory are."""

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fastreid_prune.errors import FastreidPruneError

_COLUMNS = ["file_name", "pid", "camid", "class"]


@dataclass(frozen=True)
class Samples:
    """The samples of a trajectory, one entry a row.

    Attributes:
        file_name: ``[N]`` str, the image's path relative to the data sets' root, with forward slashes. Data without
            images have names of another kind; no two are equal.
        pid: ``[N]`` str, the given identity (the class) as the trainer names it (``market1501_2``).
        camid: ``[N]`` str, the camera as the trainer names it (``market1501_0``); "" where there are none.
        label: ``[N]`` int64, the class number of the identity.
        class_names: the identity of each class, so that ``class_names[label[i]] == pid[i]``. By default that of the
            samples' own labels; classes without a sample are called ``class K``.
        order_is_given: whether somebody said which class has which number. Else it is taken from the labels that a
            loop records, where they are others: see :meth:`as_trained`.
    """

    file_name: np.ndarray
    pid: np.ndarray
    camid: np.ndarray
    label: np.ndarray
    class_names: tuple[str, ...] = ()
    order_is_given: bool = True

    def __post_init__(self) -> None:
        lengths = {len(self.file_name), len(self.pid), len(self.camid), len(self.label)}
        if len(lengths) != 1:
            raise ValueError(f"samples: columns of different lengths {sorted(lengths)}")
        if not self.class_names and len(self.label):
            names = dict(zip(self.label.tolist(), self.pid.tolist(), strict=True))
            count = max(names) + 1
            object.__setattr__(self, "class_names", tuple(names.get(k, f"class {k}") for k in range(count)))

    def __len__(self) -> int:
        return len(self.file_name)

    @classmethod
    def from_items(
        cls,
        file_names: Sequence[str],
        pids: Sequence[str],
        camids: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
    ) -> "Samples":
        """Samples from their names.

        Args:
            file_names: ``[N]``.
            pids: ``[N]``, the identities.
            camids: ``[N]``, the cameras; none by default.
            class_names: ``[C]``, the identity of each class number. By default the string order of the identities, as
                in fastreid; a recorder whose loop numbers them otherwise goes by the loop.

        Raises:
            FastreidPruneError: an identity that is not among the ``class_names``, or a name there twice.

        >>> Samples.from_items(["a.jpg", "b.jpg"], ["m_10", "m_9"], ["m_0", "m_0"]).label
        array([0, 1])
        >>> Samples.from_items(["a.jpg", "b.jpg"], ["10", "9"], class_names=["9", "10"]).label
        array([1, 0])
        """
        pid = _strings(pids)
        names = sorted(set(pid.tolist())) if class_names is None else [str(name) for name in class_names]
        index = {name: position for position, name in enumerate(names)}
        if len(index) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise FastreidPruneError(f"class_names: {twice!r} is there twice. Give each class its own name.")
        strange = [row for row, name in enumerate(pid.tolist()) if name not in index]
        if strange:
            raise FastreidPruneError(
                f"class_names: {len(strange)} of {len(pid)} samples have an identity that is not among the "
                f"{len(names)} names, the first {pid[strange[0]]!r} ({file_names[strange[0]]})."
            )
        label = np.array([index[name] for name in pid.tolist()], dtype=np.int64)
        cameras = [""] * len(pid) if camids is None else camids
        given = class_names is not None
        return cls(_strings(file_names), pid, _strings(cameras), label, tuple(names), given)

    def take(self, rows: np.ndarray) -> "Samples":
        """The samples of these rows (numbers or a mask); the classes stay."""
        file_name, pid, camid = self.file_name[rows], self.pid[rows], self.camid[rows]
        return Samples(file_name, pid, camid, self.label[rows], self.class_names, self.order_is_given)

    def as_trained(self, labels: np.ndarray, num_classes: int) -> "Samples":
        """The samples with the class numbers that a training loop used.

        Args:
            labels: ``[N]`` int64, the labels that the loop recorded; -1 where it saw none.
            num_classes: C of the loop's classifier.

        Raises:
            FastreidPruneError: the labels are not these samples': a sample was trained under a class that belongs to
                another name.

        >>> samples = Samples.from_items(["a", "b"], ["10", "9"])
        >>> samples.as_trained(np.array([10, 9]), 11).class_names[9:]
        ('9', '10')
        """
        seen = np.flatnonzero(labels >= 0)
        if len(self.class_names) > num_classes and self.order_is_given:
            raise FastreidPruneError(
                f"samples: {len(self.class_names)} classes are named, and the recorder has {num_classes}. Give it "
                "num_classes as the classifier has them."
            )
        if np.array_equal(self.label[seen], labels[seen]) and len(self.class_names) <= num_classes:
            return replace(self, class_names=_padded(dict(enumerate(self.class_names)), num_classes))
        class_of: dict[str, int] = {}
        name_of: dict[int, str] = dict(enumerate(self.class_names)) if self.order_is_given else {}
        for row, pid, label in zip(
            seen.tolist(), self.pid[seen].tolist(), labels[seen].tolist(), strict=True
        ):
            if class_of.setdefault(pid, label) != label or name_of.setdefault(label, pid) != pid:
                raise self._mismatch(row, label, name_of.get(label, ""), class_of[pid])
        unknown = sorted(set(self.pid.tolist()) - set(class_of))
        if unknown:
            raise FastreidPruneError(
                f"samples: no sample of {unknown[0]!r} and {len(unknown) - 1} more classes was ever trained with, so "
                "their class numbers are not known. Give class_names in the order of the class numbers."
            )
        label = np.array([class_of[pid] for pid in self.pid.tolist()], np.int64)
        return replace(self, label=label, class_names=_padded(name_of, num_classes), order_is_given=True)

    def _mismatch(self, row: int, label: int, name: str, other: int) -> FastreidPruneError:
        what = f"which is {name!r}" if name != self.pid[row] else f"and other samples of it as class {other}"
        return FastreidPruneError(
            f"labels: sample {row} ({self.file_name[row]}) is named {self.pid[row]!r}, and the loop trained it as "
            f"class {label}, {what}. Check that sample_index, labels and samples belong together; labels that were "
            "changed on purpose come with injected= (inject_label_noise)."
        )

    def write_csv(self, path: str | os.PathLike) -> None:
        """Write ``file_name,pid,camid,class``, one line a row, in row order."""
        # recording needs no table library: it is imported where a file is written
        from fastreid_prune.io.tables import write_csv

        columns = (self.file_name, self.pid, self.camid, self.label)
        write_csv(path, dict(zip(_COLUMNS, columns, strict=True)))

    @classmethod
    def read_csv(cls, path: str | os.PathLike, class_names: Sequence[str] | None = None) -> "Samples":
        """Read what :meth:`write_csv` wrote.

        Args:
            path: the file.
            class_names: the identity of each class number; by default in string order.

        Raises:
            FastreidPruneError: the file is missing, truncated or has other columns, or a class that does not
                fit its identity.
        """
        path = Path(path)
        try:
            with open(path, newline="", encoding="utf-8") as file:
                rows = list(csv.reader(file))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
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
        names = class_names if class_names is not None else sorted(set(columns[1]))
        unknown = sorted(set(columns[1]) - set(names))
        if unknown:
            raise FastreidPruneError(
                f"{path}: {unknown[0]!r} is none of the {len(names)} classes that meta.json beside it names. The files "
                "are not of one run: copy the whole folder again."
            )
        samples = cls.from_items(columns[0], columns[1], columns[2], names)
        given = np.array(columns[3], dtype=np.int64)
        if not np.array_equal(samples.label, given):
            line = int(np.flatnonzero(samples.label != given)[0])
            raise FastreidPruneError(
                f"{path}: line {line + 2} gives class {given[line]} to {samples.pid[line]}, which is class "
                f"{samples.label[line]} of the run's classes. Rows are missing or were edited."
            )
        return samples


def _padded(names: dict[int, str], count: int) -> tuple[str, ...]:
    return tuple(names.get(k, f"class {k}") for k in range(count))


def _strings(values: Sequence[str]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = [str(value) for value in values]
    return array
