"""Reading a manifest that anybody may have made or changed."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.files import sha256
from fastreid_prune.io.names import check_names
from fastreid_prune.io.tables import CsvReader
from fastreid_prune.manifest.columns import COLUMNS
from fastreid_prune.manifest.rules import Problems, check_rows
from fastreid_prune.manifest.sidecar import (
    ABOUT,
    decode_checksums,
    read_sidecar,
    row_checksums,
    sidecar_path,
)

MAX_ROWS = 20_000_000
# columns with few distinct values, kept once each
_REPEATING = ("pid", "camid", "new_pid", "action", "reason")
_ACCEPT = (
    "If the change is meant, make it a manifest again with `fastreid-prune import {path} --edited -o FILE`."
)


def read_files(path: Path, edited: bool) -> tuple[dict[str, np.ndarray], dict]:
    """The columns and the ``about`` of the manifest at ``path``. See :meth:`Manifest.read`."""
    json_path = sidecar_path(path)
    if not path.exists() and not json_path.exists():
        raise FastreidPruneError(
            f"{path}: no such manifest. `fastreid-prune prune RUN --ratio R -o FILE.csv` makes one."
        )
    info = {} if edited and not json_path.exists() else read_sidecar(json_path)
    reader = CsvReader(path, COLUMNS, exactly=True)
    if not edited and sha256(path) != info["csv"]["sha256"]:
        raise FastreidPruneError(f"{path}: {_what_changed(path, info)} {_ACCEPT.format(path=path)}")
    columns = _columns(reader, path)
    check_names(columns["file_name"], str(path))
    columns["rank"] = _closed_ranks(columns["rank"], path, edited)
    return columns, {key: info.get(key) for key in ABOUT} | {"new_ids": info.get("new_ids") or []}


def _columns(reader: CsvReader, path: Path) -> dict[str, np.ndarray]:
    """All rows, if none breaks a rule; from the first that does, rows are counted and no longer kept."""
    problems, row = Problems(), 1
    kept: list[Any] = []
    for block in reader.blocks():
        check_rows(block, row, problems)
        row += len(block)
        if problems or reader.malformed or row > MAX_ROWS:
            kept.clear()
        else:
            kept.append([_compact(block.column(name), name) for name in COLUMNS])
    wrong = [str(problems)] if problems else []
    if reader.malformed:
        wrong.append(f"{reader.malformed} rows do not have {len(COLUMNS)} fields")
    if row - 1 > MAX_ROWS:
        wrong.append(f"{row - 1} rows, more than the {MAX_ROWS} that are read")
    if wrong:
        raise FastreidPruneError(f"{path}: {'; '.join(wrong)}. Correct these rows or copy the file again.")
    parts = zip(*kept, strict=True) if kept else ([_compact(pa.array([], pa.string()), n)] for n in COLUMNS)
    return {name: np.concatenate(part) for name, part in zip(COLUMNS, parts, strict=True)}


def _compact(column: pa.Array, name: str) -> np.ndarray:
    if name == "rank":
        return pc.cast(column, pa.int64()).to_numpy()
    if name == "score":
        return np.array([float(text) if text else np.nan for text in column.to_pylist()], np.float64)
    if name not in _REPEATING or not len(column):
        return np.array([*column.to_pylist(), None], dtype=object)[:-1]
    encoded = column.dictionary_encode()
    values = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
    return values[encoded.indices.to_numpy()]


def _closed_ranks(rank: np.ndarray, path: Path, edited: bool) -> np.ndarray:
    expected = np.arange(1, len(rank) + 1)
    order = np.argsort(rank, kind="stable")
    if np.array_equal(rank[order], expected):
        return rank
    if not edited:
        raise FastreidPruneError(
            f"{path}: the ranks are not 1 to {len(rank)}, each once. Copy the file again."
        )
    closed = np.empty_like(rank)
    closed[order] = expected
    return closed


def _what_changed(path: Path, info: dict) -> str:
    """How many rows differ from those that were written."""
    reader = CsvReader(path, COLUMNS, exactly=True)
    parts = [np.zeros(0, "<u2")]
    for block in reader.blocks():
        parts.append(row_checksums(zip(*(column.to_pylist() for column in block.columns), strict=True)))
    found, written = np.concatenate(parts), decode_checksums(info["csv"].get("row_checksums"))
    count = len(found) + reader.malformed
    if count != info["csv"]["rows"]:
        return f"{count} rows, but {info['csv']['rows']} were written: rows were added, removed or cut off."
    if len(written) != len(found):
        return f"changed since it was written: {reader.malformed} of {count} rows are cut."
    rows = np.flatnonzero(found != written) + 1
    if not len(rows):
        return "saved again since it was written (no row differs; line ends or quotes do)."
    shown = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")
    return f"{len(rows)} of {count} rows were edited since it was written (rows {shown})."
