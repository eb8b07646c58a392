"""Reading data sets by name through fastreid's registry, with errors that can be acted on."""

import contextlib
import difflib
import os
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from fastreid.data import build
from fastreid.data.datasets import DATASET_REGISTRY

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin.items import Item, relative_name
from fastreid_prune.plugin.silent_losses import check_nothing_is_lost


def data_root() -> str:
    """The folder that holds the data sets: ``FASTREID_DATASETS`` as fastreid read it."""
    return build._root


def find_reader(name: str, key: str = "DATASETS.NAMES") -> type:
    """The reader that is registered under a name.

    Args:
        name: of a data set.
        key: where the name came from, for the message.

    Raises:
        FastreidPruneError: there is none; the nearest known name is told.
    """
    # the registry of the wheel cannot be iterated
    known = sorted(DATASET_REGISTRY._obj_map)
    if name in known:
        return DATASET_REGISTRY.get(name)
    by_case = {registered.lower(): registered for registered in known}
    nearest = difflib.get_close_matches(name.lower(), by_case, n=1, cutoff=0.6)
    meant = f" Did you mean {by_case[nearest[0]]}?" if nearest else ""
    # a data set of a script's own reader is known to its scored run
    run = " or the folder of a scored run" if key == "--dataset" else ""
    raise FastreidPruneError(
        f"{key}: fastreid knows no data set {name!r}.{meant} It knows {', '.join(known)}; a path{run} is read "
        "in any layout, and a reader of your own is added with @DATASET_REGISTRY.register()."
    )


def read_dataset(name: str, root: str, key: str = "DATASETS.NAMES", **options: Any) -> Any:
    """The data set ``name`` in the folder ``root``, as its reader gives it.

    Raises:
        FastreidPruneError: no such reader, or the reader stumbled; with what it was reading.
    """
    reader = find_reader(name, key)
    with explaining_reader(name, root):
        return reader(root=root, **options)


def sorted_train(data: Any, name: str, root: str) -> list[Item]:
    """The training items of a data set that was read, sorted by name, so that every machine numbers them alike.

    Raises:
        FastreidPruneError: the reader stumbled, or gives no item.
    """
    with explaining_reader(name, root):
        items = sorted(data.train, key=lambda item: relative_name(item[0], root))
    if not items:
        raise FastreidPruneError(
            f"{name}: no training image in {os.path.abspath(root)}. Its folders are there, but hold no file "
            f'that the data set\'s reader takes. Name the folder itself, "({os.path.abspath(root)!r},)", to have any '
            "image in it read."
        )
    check_nothing_is_lost(name, items)
    return items


@contextlib.contextmanager
def explaining_reader(name: str, root: str) -> Iterator[None]:
    """Inside the block whatever a data set's reader stumbles over is one error: data set, file, what was expected."""
    try:
        yield
    except FastreidPruneError:
        raise
    except Exception as error:
        folder = os.path.abspath(root)
        said_not_found = isinstance(error, (RuntimeError, AssertionError)) and "not found" in str(error)
        if isinstance(error, OSError) or said_not_found:
            raise FastreidPruneError(
                f"{name}: no such data set in {folder} ({error}). Set the environment variable FASTREID_DATASETS to "
                "the folder that holds it."
            ) from error
        place = traceback.extract_tb(error.__traceback__)[-1]
        if place.line == "assert size > 0":
            raise FastreidPruneError(
                f"{name}: no query and no gallery image in {folder}. Put the data set there, or leave {name} out of "
                "DATASETS.TESTS."
            ) from error
        at = being_read(error.__traceback__)
        raise FastreidPruneError(
            f"{name}: its reader cannot read the data set in {folder}{f', at {at}' if at else ''}: "
            f"{_expected(error, place)} ({Path(place.filename).name}, line {place.lineno}). Name the files as that "
            f'data set does, or name the folder itself, "({folder!r},)", to have it read in any layout.'
        ) from error


def being_read(frames: TracebackType | None) -> str:
    """What the reader was looking at when it failed: a file, or a line of one, from its own variables; or ''."""
    found = ""
    while frames is not None:
        variables = frames.tb_frame.f_locals
        for value in variables.values():
            if isinstance(value, str) and "\n" not in value and os.path.isfile(value):
                found = repr(value)
        for name in ("line", "row"):
            if isinstance(variables.get(name), (str, list, tuple)):
                found = f"the line {variables[name]!r:.200}" + (f" of {found}" if found else "")
        frames = frames.tb_next
    return found


def _expected(error: Exception, place: traceback.FrameSummary) -> str:
    line = place.line or ""
    if isinstance(error, AssertionError):
        return f"`{line}` does not hold"
    if isinstance(error, AttributeError) and "NoneType" in str(error):
        return f"`{line}` finds no match"
    return f"`{line}` gives {type(error).__name__}: {error!s:.200}"
