"""Whether a manifest is for a given data set."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.names import dataset_names, examples


class _Manifest(Protocol):
    """What is looked at of a :class:`.Manifest`."""

    @property
    def file_name(self) -> np.ndarray: ...
    @property
    def pid(self) -> np.ndarray: ...
    @property
    def new_pid(self) -> np.ndarray: ...
    @property
    def kept(self) -> np.ndarray: ...
    @property
    def about(self) -> Mapping[str, Any]: ...
    @property
    def path(self) -> Path | None: ...
    def __len__(self) -> int: ...


def fitting_rows(
    manifest: _Manifest, file_names: Sequence[str] | np.ndarray, pids: Sequence[str] | np.ndarray
) -> np.ndarray:
    """The manifest's row of each sample, [M] int64. See :meth:`Manifest.check_against`."""
    names = np.asarray(file_names, dtype=object)
    given = np.asarray(pids, dtype=object)
    rows = pc.index_in(pa.array(names, pa.string()), value_set=pa.array(manifest.file_name, pa.string()))
    rows = pc.fill_null(rows, -1).to_numpy().astype(np.int64)
    found = rows >= 0
    where = manifest.path or "the manifest"
    if not found.any() and len(names) and len(manifest):
        raise FastreidPruneError(
            f"{where}: none of its {len(manifest)} images ({_sets(manifest.pid)}; "
            f"{examples(manifest.file_name[:1])}) is among the data set's {len(names)} "
            f"training images ({_sets(given)}; {examples(names[:1])}). "
            "It was made for another data set: make one from a run on this one."
        )
    problems = [
        _problem("images of the data set have no row", names[~found]),
        _problem(
            "rows name images that the data set does not have", _without(manifest.file_name, rows[found])
        ),
        _other_identities(manifest, names[found], given[found], rows[found]),
        _unknown_identities(manifest, given),
    ]
    problems = [problem for problem in problems if problem]
    if problems:
        raise FastreidPruneError(
            f"{where} does not fit the data set ({len(names)} training images):\n  - "
            + "\n  - ".join(problems)
            + "\nMake a manifest from a run on this very data set, or put the data set back as it was."
        )
    return rows


def _problem(what: str, values: np.ndarray) -> str:
    return f"{len(values)} {what}: {examples(values[:3], len(values))}" if len(values) else ""


def _without(names: np.ndarray, rows: np.ndarray) -> np.ndarray:
    left = np.ones(len(names), bool)
    left[rows] = False
    return names[left]


def _other_identities(manifest: _Manifest, names: np.ndarray, given: np.ndarray, rows: np.ndarray) -> str:
    differ = manifest.pid[rows] != given
    count = int(np.count_nonzero(differ))
    if not count:
        return ""
    first = np.flatnonzero(differ)[0]
    return (
        f"{count} rows give another identity than the data set: {ascii(names[first])} is "
        f"{ascii(given[first])} there, {ascii(manifest.pid[rows][first])} in the manifest"
    )


def _unknown_identities(manifest: _Manifest, given: np.ndarray) -> str:
    known = set(given) | set(manifest.about.get("new_ids", []))
    trained = manifest.kept
    unknown = np.array([pid not in known for pid in manifest.new_pid[trained]], bool)
    what = "rows train with identities that the data set does not have"
    return _problem(what, manifest.new_pid[trained][unknown])


def _sets(pids: np.ndarray) -> str:
    return ", ".join(sorted(set(dataset_names(pids)))[:3])
