"""File names in a ``.npy`` that anybody may have made, read in blocks from a memory map."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.importing.plain_pickle import load_plain
from fastreid_prune.sample_names import MAX_LENGTH

MAX_ROWS = 20_000_000
_BLOCK_BYTES = 16 << 20
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


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
    try:
        version = np.lib.format.read_magic(file)
        shape, _, dtype = _HEADERS[version](file)
    except (
        ValueError,
        LookupError,
        TypeError,
        SyntaxError,
        EOFError,
        MemoryError,
        RecursionError,
        OverflowError,
    ):
        raise FastreidPruneError(
            f"{path}: this is no .npy of names. Copy it again, or ask its publisher."
        ) from None
    if dtype.kind not in "USO" or len(shape) != 1:
        raise FastreidPruneError(f"{path}: expected a list of text, found {dtype} of shape {shape}.")
    longest = dtype.itemsize // 4 if dtype.kind == "U" else dtype.itemsize
    if not 0 <= shape[0] <= MAX_ROWS or longest > MAX_LENGTH or (not longest and shape[0] > 1):
        raise FastreidPruneError(
            f"{path}: {shape[0]} names of up to {longest} characters; expected at most {MAX_ROWS} of 1 to {MAX_LENGTH}."
        )
    return shape, dtype


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
