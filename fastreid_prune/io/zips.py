"""ZIPs of others: what reading one may raise, and how much of it is its list of members.

Python reads that list whole before anything else.
"""

import lzma
import struct
import zipfile
import zlib
from pathlib import Path

from fastreid_prune.errors import FastreidPruneError

# for files that are cut, encrypted, compressed in another way, or claim more than there is
ZIP_ERRORS = (
    *(OSError, EOFError, ValueError, LookupError, TypeError, ArithmeticError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
)
MAX_DIRECTORY = 64 << 20
_END, _LOCATOR, _END_64 = b"PK\x05\x06", b"PK\x06\x07", b"PK\x06\x06"
_END_SIZE, _LOCATOR_SIZE, _MAX_COMMENT = 22, 20, 1 << 16


def check_directory(path: Path) -> None:
    """Refuse a ZIP that lists more members than any data set has.

    Raises:
        FastreidPruneError: its list of members is larger than 64 MiB: half a million images.
    """
    size = directory_size(path)
    if size > MAX_DIRECTORY:
        raise FastreidPruneError(
            f"{path}: {size >> 20} MiB of names of members; at most {MAX_DIRECTORY >> 20} MiB are read. Split it."
        )


def directory_size(path: Path) -> int:
    """Bytes of a ZIP's list of members as its end says, ZIP64 included; 0 where there is no such end."""
    with open(path, "rb") as file:
        length = file.seek(0, 2)
        file.seek(max(0, length - _END_SIZE - _MAX_COMMENT - _LOCATOR_SIZE))
        tail = file.read()
        start = tail.rfind(_END)
        if start < 0 or len(tail) - start < _END_SIZE:
            return 0
        (size,) = struct.unpack_from("<I", tail, start + 12)
        locator = tail[max(0, start - _LOCATOR_SIZE) : start]
        if len(locator) == _LOCATOR_SIZE and locator.startswith(_LOCATOR):
            (offset,) = struct.unpack_from("<Q", locator, 8)
            file.seek(min(offset, length))
            record = file.read(56)
            if len(record) == 56 and record.startswith(_END_64):
                (size,) = struct.unpack_from("<Q", record, 40)
    return size
