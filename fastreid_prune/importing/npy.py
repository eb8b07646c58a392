"""File names in a ``.npy`` that anybody may have made, read in blocks from a memory map."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.importing.plain_pickle import load_plain
from fastreid_prune.io.names import MAX_LENGTH

MAX_ROWS = 20_000_000
_BLOCK_BYTES = 16 << 20
_MAX_HEADER = 10_000
_HEADER = re.compile(
    rb"\{'descr': '(?P<type>[<>|]U[0-9]{1,6}|\|S[0-9]{1,6}|\|O)', "
    rb"'fortran_order': (?:False|True), 'shape': \((?P<count>[0-9]{1,12})L?,\),? *\}\s*"
)


def read_names(path: Path) -> Iterator[pa.Array]:
    """The names in order, in blocks of strings.

    Args:
        path: a 1-D array of text, as bytes or Unicode, or of objects that are text.

    Raises:
        FastreidPruneError: the file is something else, is shorter than its header says, holds more than 20
            million names or longer ones than a path can be, or text that is not Unicode.
    """
    try:
        with open(path, "rb") as file:
            shape, dtype = _header(file, path)
            if dtype.kind == "O":
                values = load_plain(file, str(path))
                if not isinstance(values, np.ndarray) or values.shape != shape:
                    raise FastreidPruneError(
                        f"{path}: the objects do not fit the header. Ask for an array of text."
                    )
                yield _strings(values, path)
                return
            offset = file.tell()
            expected, found = math.prod(shape) * dtype.itemsize, path.stat().st_size - offset
        if found != expected:
            raise FastreidPruneError(
                f"{path}: {found} bytes of names, and the header says {expected}. It is damaged."
            )
        if not expected:
            yield pa.array([""] * shape[0], pa.string())
            return
        names = np.memmap(path, dtype, "r", offset, shape)
        step = max(1, _BLOCK_BYTES // dtype.itemsize)
        for start in range(0, shape[0], step):
            yield _strings(np.array(names[start : start + step]), path)
    except OSError as error:
        raise FastreidPruneError(
            f"{path}: cannot be read ({error.strerror or error}). Check the path."
        ) from error


def _header(file: BinaryIO, path: Path) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type as the header says, read by pattern: numpy's own parser evaluates the text as Python."""
    start = file.read(12)
    version = start[6:7]
    if start[:6] != b"\x93NUMPY" or version not in (b"\1", b"\2", b"\3"):
        raise FastreidPruneError(f"{path}: this is no .npy file. Copy it again, or ask its publisher.")
    length_bytes = 2 if version == b"\1" else 4
    length = int.from_bytes(start[8 : 8 + length_bytes], "little")
    file.seek(8 + length_bytes)
    text = file.read(min(length, _MAX_HEADER))
    match = _HEADER.fullmatch(text)
    if length > _MAX_HEADER or match is None:
        raise FastreidPruneError(f"{path}: expected a list of text, found the header {text[:100]!r}.")
    dtype, count = np.dtype(match["type"].decode()), int(match["count"])
    longest = dtype.itemsize // 4 if dtype.kind == "U" else dtype.itemsize
    if count > MAX_ROWS or longest > MAX_LENGTH or (not longest and count > 1):
        raise FastreidPruneError(
            f"{path}: {count} names of up to {longest} characters; expected at most {MAX_ROWS} of 1 to {MAX_LENGTH}."
        )
    return (count,), dtype


def _strings(values: np.ndarray, path: Path) -> pa.Array:
    if values.dtype.kind == "U":
        points = values.view(values.dtype.str[0] + "u4")
        if (points > 0x10FFFF).any():
            raise FastreidPruneError(f"{path}: holds characters that do not exist. It is damaged.")
    items = values.tolist()
    try:
        if values.dtype.kind == "S":
            items = [item.decode("utf-8") for item in items]
        return pa.array(items, pa.string())
    except (UnicodeError, pa.ArrowException):
        raise FastreidPruneError(f"{path}: holds names that are not Unicode text.") from None
