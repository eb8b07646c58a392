"""Recognising the images of a data set by their content, whatever they are called now."""

import zlib
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np


def crc32(path: Path) -> int:
    """The CRC-32 of a file, as ZIP archives hold it of their members."""
    value = 0
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            value = zlib.crc32(block, value)
    return value


class ContentIndex:
    """The images of a data set by size and CRC-32, each read when another file of its size is asked for."""

    def __init__(self, file_names: np.ndarray, root: Path):
        """Index [N] names of images under ``root``; those that are not there are not found."""
        self._paths = [root / name for name in file_names]
        self._sizes: dict[int, list[int]] = defaultdict(list)
        for row, path in enumerate(self._paths):
            if path.is_file():
                self._sizes[path.stat().st_size].append(row)
        self._sums: dict[int, int] = {}

    def row(self, name: str, size: int, checksum: Callable[[], int], taken: np.ndarray) -> int | None:
        """The image with this content, the one of the most similar name where several have it.

        Args:
            name: what it is called now, in Market-1501's way.
            size: in bytes.
            checksum: tells its CRC-32.
            taken: [N] bool, images that are recognised already.
        """
        rows = [row for row in self._sizes.get(size, []) if not taken[row]]
        if not rows:
            return None
        wanted = checksum()
        same = [row for row in rows if self._sum(row) == wanted]
        after_person = name.partition("_")[2]
        same.sort(
            key=lambda row: (self._paths[row].name != name, not self._paths[row].name.endswith(after_person))
        )
        return same[0] if same else None

    def _sum(self, row: int) -> int:
        if row not in self._sums:
            self._sums[row] = crc32(self._paths[row])
        return self._sums[row]
