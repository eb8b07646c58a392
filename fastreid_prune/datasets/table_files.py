"""Tables of samples as people have them: CSV, TSV, JSON lines, Parquet; every value becomes text."""

import csv
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fastreid_prune.errors import FastreidPruneError

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
_WHOLE = re.compile(r"-?[0-9]+\.0+")


@dataclass(frozen=True)
class TableFile:
    """A table, read.

    Attributes:
        path: the file.
        columns: name -> its values as text, empty where there is none.
        lines: the line (or row, in Parquet) of each, from 1.
    """

    path: Path
    columns: dict[str, list[str]]
    lines: list[int]


def read_table_file(path: Path) -> TableFile:
    """Read a table by its ending.

    Raises:
        FastreidPruneError: no table, or a line in it that is none; the message names it.
    """
    try:
        if path.suffix.lower() == ".parquet":
            table = _read_parquet(path)
        elif path.suffix.lower() in (".jsonl", ".ndjson", ".json"):
            table = _read_json_lines(path)
        else:
            table = _read_csv(path)
    except OSError as error:
        raise FastreidPruneError(
            f"{path}: cannot be read ({error.strerror or error}). Check the path and its permissions."
        ) from error
    except UnicodeDecodeError as error:
        raise FastreidPruneError(
            f"{path}: not UTF-8 near byte {error.start}. Save it as UTF-8, or copy it again."
        ) from None
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
        delimiter = max(",;\t", key=header.count)
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            names = [name.strip() for name in next(reader, [])]
            if len(set(names)) != len(names):
                raise FastreidPruneError(
                    f"{path}: a column is there twice in {', '.join(names)}. Rename one."
                )
            rows, lines = [], []
            for row in reader:
                if not row:
                    continue
                if len(row) != len(names):
                    raise FastreidPruneError(
                        f"{path}, line {reader.line_num}: {len(row)} fields found, {len(names)} expected "
                        f"({', '.join(names)}). Put a field that holds the separator {delimiter!r} into quotes."
                    )
                rows.append(row)
                lines.append(reader.line_num)
        except csv.Error as error:
            raise FastreidPruneError(
                f"{path}, line {reader.line_num}: {error}. Mend or remove the line."
            ) from None
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    return TableFile(path, {name: list(column) for name, column in zip(names, columns, strict=True)}, lines)


def _read_json_lines(path: Path) -> TableFile:
    records, lines = [], []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise FastreidPruneError(
                f"{path}, line {number}: no JSON ({error}). One object a line is expected: "
                '{"file_name": "a.jpg", "pid": "7"}.'
            ) from None
        if not isinstance(record, dict):
            raise FastreidPruneError(
                f"{path}, line {number}: found {line!r:.100}, an object {{…}} was expected."
            )
        records.append(record)
        lines.append(number)
    names = list(dict.fromkeys(name for record in records for name in record))
    return TableFile(path, {name: _as_text(record.get(name) for record in records) for name in names}, lines)


def _read_parquet(path: Path) -> TableFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise FastreidPruneError(f"{path}: no Parquet file that can be read ({error!s:.200}).") from None
    columns = {
        name: _as_text(table[name].to_pylist()) for name in table.column_names if _is_plain(table[name].type)
    }
    return TableFile(path, columns, list(range(1, table.num_rows + 1)))


def _is_plain(kind: object) -> bool:
    import pyarrow.types as kinds

    return not (kinds.is_nested(kind) or kinds.is_binary(kind) or kinds.is_large_binary(kind))


def _as_text(values: Iterable[object]) -> list[str]:
    return ["" if value is None or value != value else str(value) for value in values]
