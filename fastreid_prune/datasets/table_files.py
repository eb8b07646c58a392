"""Tables of samples as people have them: CSV, TSV, lists, JSON, Parquet; every value becomes text."""

import csv
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastreid_prune.datasets.lists import read_lines, reading_text
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.images import is_image_name

JSON, LISTS, PARQUET = (".jsonl", ".ndjson", ".json"), ".txt", ".parquet"
# a text may be anything: it is a table where a person says so
ENDINGS = (".csv", ".tsv", *JSON, PARQUET)
FILE_NAME, PID = "file_name", "pid"
_WHOLE = re.compile(r"-?[0-9]+\.0+")


@dataclass(frozen=True)
class TableFile:
    """A table, read.

    Attributes:
        path: the file.
        columns: name -> its values as text, empty where there is none.
        lines: the line (or row, in Parquet) of each, from 1.
        not_text: columns that hold lists, objects or bytes, and are left out.
        named: whether the file names its columns; else they are taken for file and identity.
    """

    path: Path
    columns: dict[str, list[str]]
    lines: list[int]
    not_text: tuple[str, ...] = ()
    named: bool = True


def read_table_file(path: Path) -> TableFile:
    """Read a table by its ending.

    Raises:
        FastreidPruneError: no table, or a line in it that is none; the message names it.
    """
    ending = path.suffix.lower()
    with reading_text(path):
        if ending == PARQUET:
            table = _read_parquet(path)
        elif ending in JSON:
            table = _read_json(path)
        elif ending == LISTS and (listed := _read_list(path)):
            table = listed
        else:
            table = _read_csv(path)
    if not table.lines:
        raise FastreidPruneError(f"{path}: the table has no row.")
    return table


def without_point_zero(values: list[str]) -> list[str]:
    """Whole numbers that a program wrote with ``.0``, without it, where every value is one.

    >>> without_point_zero(["7.0", "12.0", ""]), without_point_zero(["7.0", "anna"])
    (['7', '12', ''], ['7.0', 'anna'])
    """
    if any(values) and all(_WHOLE.fullmatch(value) for value in values if value):
        return [value.partition(".")[0] for value in values]
    return values


def _read_csv(path: Path) -> TableFile:
    with open(path, newline="", encoding="utf-8-sig") as file:
        header = file.readline()
        file.seek(0)
        delimiter = max(",;\t|", key=header.count)
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        rows: list[list[str]] = []
        lines: list[int] = []
        try:
            for row in reader:
                if not any(field.strip() for field in row):
                    continue
                if rows and len(row) != len(rows[0]):
                    raise FastreidPruneError(
                        f"{path}, line {reader.line_num}: {len(row)} fields found, {len(rows[0])} expected "
                        f"({', '.join(rows[0])}). Put a field that holds the separator {delimiter!r} into quotes."
                    )
                rows.append([field.strip() for field in row])
                lines.append(reader.line_num)
        except csv.Error as error:
            raise FastreidPruneError(
                f"{path}, line {reader.line_num}: {error}. Mend or remove the line."
            ) from None
    if not rows:
        return TableFile(path, {}, [])
    if any(is_image_name(field) for field in rows[0]):
        return _without_names(path, rows, lines)
    names = rows[0]
    if twice := next((name for name in names if name and names.count(name) > 1), None):
        raise FastreidPruneError(
            f"{path}: the column {twice} is there twice in {', '.join(names)}. Rename one."
        )
    columns = {name: [row[place] for row in rows[1:]] for place, name in enumerate(names)}
    return TableFile(path, columns, lines[1:])


def _read_list(path: Path) -> TableFile | None:
    """A list with lines such as ``train/0002/a b.jpg 17``; None where it is no such list."""
    lines = read_lines(path)
    rows = [line.rsplit(None, 1) for _, line in lines]
    if not rows or any(len(row) != 2 or not is_image_name(row[0]) for row in rows):
        return None
    return _without_names(path, rows, [number for number, _ in lines])


def _without_names(path: Path, rows: Sequence[Sequence[str]], lines: list[int]) -> TableFile:
    """A table whose first line is a row. Of two columns, one of image files, it is known what they are."""
    files = [place for place, field in enumerate(rows[0]) if is_image_name(field)]
    if len(rows[0]) != 2 or len(files) != 1:
        raise FastreidPruneError(
            f"{path}: its first line, {', '.join(rows[0])!r:.200}, names no columns. Write a line with their names "
            f"above it, such as {FILE_NAME},{PID},camid."
        )
    name, pid = files[0], 1 - files[0]
    columns = {FILE_NAME: [row[name] for row in rows], PID: [row[pid] for row in rows]}
    return TableFile(path, columns, lines, named=False)


def _read_json(path: Path) -> TableFile:
    """One object a line, or a list of objects in the whole file."""
    text = path.read_text(encoding="utf-8-sig")
    if text.lstrip().startswith("["):
        records = _parsed(path, text, 1)
        lines = list(range(1, len(records) + 1))
    else:
        numbered = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        lines = [number for number, _ in numbered]
        records = [_parsed(path, line, number) for number, line in numbered]
    for number, record in zip(lines, records, strict=True):
        if not isinstance(record, dict):
            raise FastreidPruneError(
                f"{path}, line {number}: found {record!r:.100}, an object {{…}} was expected."
            )
    names = list(dict.fromkeys(name for record in records for name in record))
    nested = tuple(
        name for name in names if any(isinstance(record.get(name), (dict, list)) for record in records)
    )
    columns = {name: _as_text(record.get(name) for record in records) for name in names if name not in nested}
    return TableFile(path, columns, lines, nested)


def _parsed(path: Path, text: str, line: int) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        at = line + getattr(error, "lineno", 1) - 1
        raise FastreidPruneError(
            f"{path}, line {at}: no JSON ({error}). One object a line is expected, or a list of objects: "
            '{"file_name": "a.jpg", "pid": "7"}.'
        ) from None


def _read_parquet(path: Path) -> TableFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise FastreidPruneError(f"{path}: no Parquet file that can be read ({error!s:.200}).") from None
    plain = [name for name in table.column_names if _is_plain(table[name].type)]
    columns = {name: _as_text(table[name].to_pylist()) for name in plain}
    other = tuple(name for name in table.column_names if name not in columns)
    return TableFile(path, columns, list(range(1, table.num_rows + 1)), other)


def _is_plain(kind: object) -> bool:
    import pyarrow.types as kinds

    return not (kinds.is_nested(kind) or kinds.is_binary(kind) or kinds.is_large_binary(kind))


def _as_text(values: Iterable[object]) -> list[str]:
    return ["" if value is None or value != value else str(value).strip() for value in values]
