"""Large JSON from strangers, value by value, in bounded memory."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import ijson

from fastreid_prune.errors import FastreidPruneError

MAX_BYTES = 4 << 30
MAX_DEPTH = 100
MAX_TOKEN = 16 << 20
# texts, and names of fields, of one value
MAX_VALUES = 100_000
_ERRORS = (ijson.JSONError, ValueError, ArithmeticError, LookupError, MemoryError, SystemError)


def read_values(file: IO[bytes], where: str) -> Iterator[tuple[str, Any]]:
    """The fields of a JSON object as they come; of a field that is a list, each element by itself.

    Numbers in lists further down (logits, boxes) are left out.

    Args:
        file: at its start.
        where: names it in messages.

    Yields:
        (name of the field, its value or one element of it).

    Raises:
        FastreidPruneError: it is no JSON object, is nested more than 100 deep, or is larger than 4 GiB, or one text of
            it than 16 MiB, or one value than 100,000 parts.

    >>> import io
    >>> list(read_values(io.BytesIO(b'{"a": 1, "b": [{"c": "x", "d": [1, 2]}, {}]}'), "x.json"))
    [('a', 1), ('b', {'c': 'x', 'd': []}), ('b', {})]
    """
    source = _Counted(file, where)
    events = ijson.basic_parse(source, use_float=True)
    try:
        if next(events, ("", None))[0] != "start_map":
            raise ValueError("it is no object")
        yield from _fields(events, source, where)
    except _ERRORS as error:
        raise FastreidPruneError(f"{where}: this is no whole JSON ({error!s:.200}). Copy it again.") from None


def read_file(path: Path) -> Iterator[tuple[str, Any]]:
    """As :func:`read_values`, of the file at ``path``.

    Raises:
        FastreidPruneError: it cannot be read, or as :func:`read_values`.
    """
    try:
        with open(path, "rb") as file:
            yield from read_values(file, str(path))
    except OSError as error:
        raise FastreidPruneError(
            f"{path}: cannot be read ({error.strerror or error}). Check the path."
        ) from error


def _fields(events: Iterator[tuple[str, Any]], source: "_Counted", where: str) -> Iterator[tuple[str, Any]]:
    key, in_list, parts = "", False, 0
    # the containers that are open, and the name of the field that each waits for
    open_values: list[Any] = []
    names: list[str] = []
    for event, value in events:
        source.since_event = 0
        parts += 1
        if parts > MAX_VALUES and event != "number":
            raise FastreidPruneError(f"{where}: one value of more than {MAX_VALUES} parts.")
        if event == "map_key":
            if open_values:
                names[-1] = value
            else:
                key = value
        elif event in ("start_map", "start_array"):
            if event == "start_array" and not open_values and not in_list:
                in_list = True
                continue
            open_values.append({} if event == "start_map" else [])
            names.append("")
            if len(open_values) > MAX_DEPTH:
                raise FastreidPruneError(f"{where}: nested more than {MAX_DEPTH} deep.")
        elif not open_values and event in ("end_map", "end_array"):
            in_list = False
        else:
            if event in ("end_map", "end_array"):
                value = open_values.pop()
                names.pop()
            if not open_values:
                parts = 0
                yield key, value
            elif isinstance(open_values[-1], dict):
                open_values[-1][names[-1]] = value
            elif event != "number":
                open_values[-1].append(value)


class _Counted:
    """A file that refuses to go on where it is too large, or where one text in it is.

    Attributes:
        since_event: bytes read since the parser found something.
    """

    def __init__(self, file: IO[bytes], where: str):
        self.file, self.where, self.total, self.since_event = file, where, 0, 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        block = self.file.read(size)
        self.total += len(block)
        self.since_event += len(block)
        if self.total > MAX_BYTES:
            raise FastreidPruneError(f"{self.where}: more than {MAX_BYTES >> 30} GiB of JSON.")
        if self.since_event > MAX_TOKEN:
            raise FastreidPruneError(f"{self.where}: a text of more than {MAX_TOKEN >> 20} MiB.")
        return block


def head(path: Path, size: int = 1 << 16) -> bytes:
    """The first bytes of a file, to tell what it is; nothing where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(size)
    except OSError:
        return b""
