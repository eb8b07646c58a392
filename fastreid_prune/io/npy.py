"""File names in a ``.npy`` from strangers, read in blocks."""

import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.names import MAX_LENGTH
from fastreid_prune.io.pickles import load_plain

MAX_ROWS = 20_000_000
_BLOCK_BYTES = 16 << 20
# numpy evaluates the header as a literal, which long ones make expensive
_MAX_HEADER = 1000
# what numpy raises for headers that are none; it tries those of Python 2 by tokens
_HEADER_ERRORS = (
    *(ValueError, TypeError, SyntaxError, LookupError, ArithmeticError, MemoryError, RecursionError),
    tokenize.TokenError,
)


def read_names(path: Path) -> Iterator[pa.Array]:
    """The names in order, in blocks of strings.

    Args:
        path: a 1-D array of text, as bytes or Unicode, or of objects that are text.

    Raises:
        FastreidPruneError: the file is something else, is shorter or longer than its header says, holds more than 20
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
            expected, found = shape[0] * dtype.itemsize, path.stat().st_size - file.tell()
        if found != expected:
            raise FastreidPruneError(
                f"{path}: {found} bytes of names, and the header says {expected}. It is damaged."
            )
        if not expected:
            yield pa.array([""] * shape[0], pa.string())
            return
        names = np.load(path, mmap_mode="r", allow_pickle=False)
        step = max(1, _BLOCK_BYTES // dtype.itemsize)
        for start in range(0, shape[0], step):
            yield _strings(np.array(names[start : start + step]), path)
    except OSError as error:
        raise FastreidPruneError(
            f"{path}: cannot be read ({error.strerror or error}). Check the path."
        ) from error


def _header(file: BinaryIO, path: Path) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type as the header says, the file being left where the data start."""
    try:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, _, dtype = read(file, max_header_size=_MAX_HEADER)
    except _HEADER_ERRORS as error:
        raise FastreidPruneError(
            f"{path}: this is no .npy file ({error!s:.100}). Copy it again, or ask its publisher."
        ) from None
    if len(shape) != 1 or shape[0] < 0 or dtype.kind not in "USO":
        raise FastreidPruneError(
            f"{path}: expected a list of text, found {dtype!s:.100} of shape {shape!s:.100}."
        )
    longest = dtype.itemsize // 4 if dtype.kind == "U" else dtype.itemsize
    if shape[0] > MAX_ROWS or longest > MAX_LENGTH or (not longest and shape[0] > 1):
        raise FastreidPruneError(
            f"{path}: {shape[0]} names of up to {longest} characters; expected at most {MAX_ROWS} of 1 to "
            f"{MAX_LENGTH}."
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
