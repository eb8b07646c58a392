"""Which formats there are: what each writes, what it reads, and how a file of its is known."""

import difflib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats.corrected import Corrected
from fastreid_prune.formats.decided import IdentityDecisions
from fastreid_prune.formats.folders import Images
from fastreid_prune.formats.listed import Listed
from fastreid_prune.formats.publication import Publication
from fastreid_prune.manifest import Manifest
from fastreid_prune.trajectory import Samples


@dataclass(frozen=True)
class Request:
    """What a reader is asked.

    Attributes:
        samples: the data set that the file is about.
        root: the folder that the samples' names are relative to.
        method: the score to rank by, for files that hold several; None: the one that the file is ranked by.
        edited: accept files of this package's that were changed since.
    """

    samples: Samples
    root: Path
    method: str | None = None
    edited: bool = False


Write = Callable[[Publication, Path, Images], list[str] | None]
Read = Callable[[Path, Request], Listed | Corrected | IdentityDecisions | Manifest]
_Function = TypeVar("_Function", bound=Callable)


@dataclass(frozen=True)
class Format:
    """A file format of others, or of ours.

    Attributes:
        name: as in ``--format``.
        source: who defines it.
        writes: what it writes, in a few words; empty where it only reads.
        write: ``write(publication, folder, images)`` writes one data set into its folder, and tells in sentences what
            readers of it should know, if there is anything.
        reads: what it reads, in a few words; empty where it only writes.
        read: ``read(path, request)``: what the file says of the samples: lists' verdicts, a person's corrections or
            decisions on identities, or a manifest as it stands.
        detect: whether a path is of this format, told by its name and what is in its folder.
        dataset: ``dataset(path)``: the data set that the file is for, where such files tell.
    """

    name: str
    source: str = ""
    writes: str = ""
    write: Write | None = None
    reads: str = ""
    read: Read | None = None
    detect: Callable[[Path], bool] | None = None
    dataset: Callable[[Path], str] | None = None


_FORMATS: dict[str, Format] = {}


def writer(name: str, writes: str, *, source: str = "") -> Callable[[_Function], _Function]:
    """Register ``write(publication, folder, images)`` under ``name``; see :class:`Format`."""

    def register(function: _Function) -> _Function:
        known = _FORMATS.get(name, Format(name))
        _FORMATS[name] = replace(known, writes=writes, write=function, source=source or known.source)
        return function

    return register


def reader(
    name: str,
    reads: str,
    *,
    detect: Callable[[Path], bool],
    dataset: Callable[[Path], str] | None = None,
    source: str = "",
) -> Callable[[_Function], _Function]:
    """Register ``read(path, request)`` under ``name``; see :class:`Format`."""

    def register(function: _Function) -> _Function:
        known = _FORMATS.get(name, Format(name))
        _FORMATS[name] = replace(
            known,
            reads=reads,
            read=function,
            detect=detect,
            dataset=dataset,
            source=source or known.source,
        )
        return function

    return register


def written() -> list[Format]:
    """The formats that can be written, by name."""
    return [_FORMATS[name] for name in sorted(_FORMATS) if _FORMATS[name].write is not None]


def read() -> list[Format]:
    """The formats that can be read, by name."""
    return [_FORMATS[name] for name in sorted(_FORMATS) if _FORMATS[name].read is not None]


def get(name: str, among: list[Format]) -> Format:
    """The format called ``name``.

    Raises:
        FastreidPruneError: there is none among these; the message lists all and the nearest.
    """
    names = [each.name for each in among]
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise FastreidPruneError(f"format: found {name!r}, expected one of {', '.join(names)}.{hint}")
    return _FORMATS[name]


def detected(path: str | os.PathLike) -> list[Format]:
    """The formats that ``path`` looks like, by name; a folder of one such folder a data set is none itself."""
    found = [each for each in read() if each.detect is not None and each.detect(Path(path))]
    # published lists hold what the other exports of a run beside them hold
    return [each for each in found if each.name == "lists"] or found
