"""Reading an ``[N, C]`` array a few rows at a time, wherever it lives."""

import mmap
import os
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

BLOCK_BYTES = 64 << 20


class Rows(Protocol):
    """What mean logits need to be: ``[N, C]`` float32, giving slices of rows as arrays. An ndarray is one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the whole: rows, columns."""

    def __getitem__(self, rows: slice) -> np.ndarray:
        """The rows ``[n, C]`` of a slice."""


def row_slices(num_rows: int, row_bytes: int, block_bytes: int | None = None) -> Iterator[slice]:
    """Slices that cover ``num_rows`` rows in order, each of at most ``block_bytes`` (but at least a row)."""
    step = max(1, (block_bytes or BLOCK_BYTES) // max(1, row_bytes))
    for start in range(0, num_rows, step):
        yield slice(start, min(start + step, num_rows))


def row_blocks(rows: Rows, block_bytes: int | None = None) -> Iterator[tuple[slice, np.ndarray]]:
    """Go through ``rows`` in order as ``(slice, block [n, C] float32)``, never holding all of them.

    The pages of a memory-mapped array are handed back now and then: else the process would seem to own, in
    the end, as much memory as the file is long.
    """
    num_rows, num_columns = rows.shape
    resident = 0
    for part in row_slices(num_rows, 4 * num_columns, block_bytes):
        block = np.asarray(rows[part], dtype=np.float32)
        yield part, block
        resident += block.nbytes
        if resident >= BLOCK_BYTES:
            release_pages(rows)
            resident = 0
    release_pages(rows)


def write_rows(path: str | os.PathLike, rows: Rows, dtype: str = "<f4") -> None:
    """Write ``rows`` as a .npy file block by block; a full disk is then an OSError, not a bus error."""
    header = {"descr": dtype, "fortran_order": False, "shape": tuple(int(size) for size in rows.shape)}
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for _, block in row_blocks(rows):
            file.write(np.ascontiguousarray(block, dtype=dtype).data)


def release_pages(array: Any) -> None:
    """Hand back the resident pages of a memory-mapped array; anything else is left alone."""
    mapped = getattr(array, "_mmap", None)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)
