"""Running a fastreid training script, unmodified, with the plug-in active in it and in the processes it spawns."""

import contextlib
import importlib.util
import multiprocessing.spawn
import os
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin import register
from fastreid_prune.plugin.copies import find_copy, use_copy

SCRIPT = "FASTREID_PRUNE_SCRIPT"


def run_script(script: str, arguments: list[str]) -> None:
    """Run ``script`` as ``python script arguments…`` would.

    Raises:
        FastreidPruneError: there is no such script.
        SystemExit: something that the user can mend stopped the run, in this process or in one that it spawned.
    """
    if not Path(script).is_file():
        raise FastreidPruneError(
            f"{script}: no such script. Give the path to a training script, such as tools/train_net.py."
        )
    sys.argv = [script, *arguments]
    sys.path[0] = str(Path(script).resolve().parent)
    os.environ[SCRIPT] = os.path.abspath(script)
    if copy := register_for(script):
        print(
            f"fastreid-prune: the script carries its own fastreid, {copy.__name__} in {Path(copy.__path__[0])}: the "
            "plug-in works on that one.",
            flush=True,
        )
    spawn_with_plugin()
    with ending_in_words("fastreid-prune"):
        runpy.run_path(script, run_name="__main__")


def register_for(script: str) -> ModuleType | None:
    """Find the fastreid that ``script`` uses and add the plug-in to it.

    That is a copy that it imports under another name, else the installed one, else the checkout that the script lies
    in or the one we stand in.

    Returns:
        The copy, if it is one.
    """
    folders = [Path.cwd(), *Path(script).resolve().parents]
    found = find_copy(script, folders)
    copy = use_copy(*found) if found else None
    if copy is None and importlib.util.find_spec("fastreid") is None:
        for folder in folders:
            if (folder / "fastreid" / "__init__.py").is_file():
                sys.path.append(str(folder))
                break
    register()
    return copy


@contextlib.contextmanager
def mending() -> Iterator[None]:
    """Turn a user's mistake reported by a spawned process into the same error in this one."""
    from torch.multiprocessing import ProcessRaisedException

    try:
        yield
    except ProcessRaisedException as error:
        marker = f"{FastreidPruneError.__module__}.{FastreidPruneError.__qualname__}: "
        _, found, message = str(error).rpartition(marker)
        if found:
            raise FastreidPruneError(message.strip()) from None
        raise


@contextlib.contextmanager
def ending_in_words(program: str) -> Iterator[None]:
    """A training script's last line: a user's mistake is one message and status 2, Ctrl-C another and 130."""
    try:
        with mending():
            yield
    except FastreidPruneError as error:
        print(f"{program}: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print(f"{program}: interrupted; go on from the last checkpoint with --resume.", file=sys.stderr)
        sys.exit(130)


def spawn_with_plugin() -> None:
    """Spawned processes run the script's top level again, to find its functions: let them register first."""
    original = multiprocessing.spawn.get_preparation_data

    def get_preparation_data(name: Any) -> Any:
        data = original(name)
        if data.get("init_main_from_path"):
            data["init_main_from_path"] = str(Path(__file__).with_name("spawned_main.py"))
        return data

    multiprocessing.spawn.get_preparation_data = get_preparation_data
