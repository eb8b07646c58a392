"""CSV tables of samples: written with the same bytes everywhere, read in blocks with bounded memory.

Writing quotes a field only where it must (what Python's csv module quotes depends on its version). Reading
uses pyarrow's streaming reader: every value arrives as text, and rows that do not have the header's columns
are counted, not fatal.
"""

import codecs
import csv
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.files import written_whole

BLOCK_ROWS = 1 << 16
BLOCK_BYTES = 4 << 20
MAX_HEADER_BYTES = 1 << 16
_SPECIAL = re.compile('[",\r\n]')


def write_csv(path: str | os.PathLike, columns: Mapping[str, Sequence | np.ndarray]) -> None:
    """Write equally long columns as UTF-8 CSV with line ends ``\\n``; NaN is an empty field.

    Floats are written so that reading them gives the same number.

    Raises:
        FastreidPruneError: the file cannot be written, or a value is no valid Unicode.
    """
    with written_whole(path) as part, open(part, "w", newline="", encoding="utf-8") as file:
        file.write(",".join(columns) + "\n")
        try:
            for block in text_blocks(columns):
                quoted = [_quoted(column) for column in block]
                file.writelines(",".join(row) + "\n" for row in zip(*quoted, strict=True))
        except UnicodeEncodeError as error:
            raise FastreidPruneError(
                f"{path}: {error.object!r:.200} is not valid Unicode and cannot be listed. Rename the file."
            ) from None


def write_parquet(path: str | os.PathLike, columns: Mapping[str, np.ndarray], about: dict[str, str]) -> None:
    """Write equally long columns as Parquet; ``about`` goes into the file's metadata.

    The bytes depend on the values and the version of pyarrow, on nothing else.
    """
    arrays = [
        pa.array(c, pa.string() if c.dtype.kind in "OUS" else None, from_pandas=True)
        for c in columns.values()
    ]
    table = pa.table(arrays, names=list(columns)).replace_schema_metadata(about)
    with written_whole(path) as part:
        pq.write_table(table, part, compression="zstd", row_group_size=1 << 18)


def text_blocks(columns: Mapping[str, Sequence | np.ndarray]) -> Iterator[list[list[str]]]:
    """The columns as text, block by block of rows, as they stand in a CSV."""
    length = len(next(iter(columns.values())))
    for start in range(0, length, BLOCK_ROWS):
        yield [_as_text(column[start : start + BLOCK_ROWS]) for column in columns.values()]


def _as_text(column: Sequence | np.ndarray) -> list[str]:
    values = column.tolist() if isinstance(column, np.ndarray) else list(column)
    return ["" if value is None or value != value else str(value) for value in values]


def _quoted(column: list[str]) -> list[str]:
    if not _SPECIAL.search("".join(column)):
        return column
    return ['"' + text.replace('"', '""') + '"' if _SPECIAL.search(text) else text for text in column]


@dataclass
class CsvReader:
    """Rows of a CSV that nobody vouches for, in blocks of text columns.

    Attributes:
        path: the file.
        columns: the header, in the file's order.
        malformed: rows seen so far that do not have as many fields as the header.
    """

    path: Path
    columns: list[str] = field(init=False)
    malformed: int = field(init=False, default=0)

    def __init__(self, path: str | os.PathLike, required: Sequence[str], exactly: bool = False):
        """Read the header.

        Args:
            path: the CSV file.
            required: columns that must be there.
            exactly: they must be the whole header, in this order.

        Raises:
            FastreidPruneError: the file is missing, empty, or has another header.
        """
        self.path = Path(path)
        self.columns = _header(self.path)
        missing = [name for name in required if name not in self.columns]
        wrong = self.columns != list(required) if exactly else missing or _repeated(self.columns)
        if wrong:
            found = ",".join(self.columns)
            raise FastreidPruneError(
                f"{self.path}: expected the columns {','.join(required)}, found {found!r:.300}. "
                "The file must be comma-separated, with the column names in its first line."
            )

    def blocks(self, only: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows in order, as record batches of string columns (those named in ``only``, or all).

        Raises:
            FastreidPruneError: the file is not UTF-8, or has a row of more than 4 MiB or an unclosed quote.
        """
        names = list(only or self.columns)
        _check_text(self.path)
        try:
            reader = pa_csv.open_csv(
                self.path,
                read_options=pa_csv.ReadOptions(
                    block_size=BLOCK_BYTES,
                    column_names=self.columns,
                    skip_rows_after_names=1,
                    use_threads=False,
                ),
                parse_options=pa_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=self._skip),
                convert_options=pa_csv.ConvertOptions(
                    column_types={name: pa.string() for name in names},
                    include_columns=names,
                    strings_can_be_null=False,
                ),
            )
            yield from reader
        except pa.ArrowException as error:
            raise FastreidPruneError(f"{self.path}: this is no readable CSV ({error!s:.200}).") from None
        except OSError as error:
            raise FastreidPruneError(f"{self.path}: cannot be read ({error}).") from error

    def _skip(self, row: pa_csv.InvalidRow) -> str:
        self.malformed += 1
        return "skip"


def _check_text(path: Path) -> None:
    decoder, position = codecs.getincrementaldecoder("utf-8")(), 0
    try:
        with open(path, "rb") as file:
            while block := file.read(BLOCK_BYTES):
                decoder.decode(block)
                position += len(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise FastreidPruneError(
            f"{path}: not UTF-8 near byte {position + error.start}. Save it as UTF-8, or copy it again."
        ) from None
    except OSError as error:
        raise FastreidPruneError(f"{path}: cannot be read ({error.strerror or error}).") from error


def _header(path: Path) -> list[str]:
    try:
        with open(path, "rb") as file:
            start = file.read(MAX_HEADER_BYTES)
    except OSError as error:
        raise FastreidPruneError(
            f"{path}: cannot be read ({error.strerror or error}). Check the path."
        ) from error
    line = start.removeprefix(b"\xef\xbb\xbf").splitlines()[:1]
    if not line:
        raise FastreidPruneError(f"{path}: the file is empty.")
    try:
        return next(csv.reader([line[0].decode("utf-8")], strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        raise FastreidPruneError(f"{path}: the first line is no CSV header: {line[0]!r:.100}.") from None


def _repeated(names: list[str]) -> bool:
    return len(set(names)) != len(names)
