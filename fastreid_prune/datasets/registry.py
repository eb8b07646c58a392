"""Which layouts there are; ``layouts/`` has a file for each."""

from collections.abc import Callable
from dataclasses import dataclass

from fastreid_prune.datasets.folder import Folder
from fastreid_prune.datasets.names import NamePattern
from fastreid_prune.datasets.table import Rows
from fastreid_prune.errors import FastreidPruneError, did_you_mean

Find = Callable[[Folder], list[str]]
Read = Callable[[Folder, str, NamePattern | None, Rows], None]


@dataclass(frozen=True)
class Layout:
    """A way for a data set to lie in a folder.

    Attributes:
        name: as in ``read(path, layout=name)``.
        looks_like: what has to be there, in a few words.
        source: whose layout it is.
        also: other names of it.
        order: of several layouts that fit, the one with the lowest is taken.
        find: folder -> the places in it where a data set of this layout begins.
        read: fills a table from such a place.
    """

    name: str
    looks_like: str
    source: str
    also: tuple[str, ...]
    order: int
    find: Find
    read: Read


_LAYOUTS: dict[str, Layout] = {}


def layout(
    name: str, *, looks_like: str, source: str, order: int, find: Find, also: tuple[str, ...] = ()
) -> Callable[[Read], Read]:
    """Register a reader under ``name``; see :class:`Layout`."""

    def register(read: Read) -> Read:
        _LAYOUTS[name] = Layout(name, looks_like, source, also, order, find, read)
        return read

    return register


def layouts() -> list[Layout]:
    """All layouts, those that are tried first in front."""
    return sorted(_LAYOUTS.values(), key=lambda one: (one.order, one.name))


def get(name: str) -> Layout:
    """The layout called ``name``.

    Raises:
        FastreidPruneError: there is none; the message lists all and the nearest.
    """
    named = {other: one for one in layouts() for other in (one.name, *one.also)}
    if name.lower() in named:
        return named[name.lower()]
    hint = did_you_mean(name.lower(), named)
    raise FastreidPruneError(f"no layout {name!r}; there are auto, {', '.join(named)}.{hint}")
