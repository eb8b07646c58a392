"""A copy of fastreid that a project carries inside itself, such as ``fast_reid.fastreid``, made known as fastreid.

Trackers vendor fastreid under a name of their own. The plug-in imports ``fastreid``; that name is led to the copy, so
that both names are the same modules and what is patched is what the script trains with.
"""

import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

NAME = "fastreid"


def find_copy(script: str | Path, folders: Sequence[Path]) -> tuple[str, Path] | None:
    """The copy of fastreid that a script imports under another name, by itself or through the modules beside it.

    Nothing is run: the import statements are read.

    Args:
        script: a Python file.
        folders: where its modules are looked for, first come first.

    Returns:
        The package, such as ``fast_reid.fastreid``, and the folder that its first part lies in; None if the script
        imports ``fastreid`` by its own name, or none at all.
    """
    waiting, seen = [Path(script)], set()
    while waiting:
        file = waiting.pop(0)
        if file in seen or not file.is_file():
            continue
        seen.add(file)
        for name in _imports(file):
            parts = name.split(".")
            if parts[0] == NAME:
                return None
            for folder in folders:
                if NAME in parts:
                    package = parts[: parts.index(NAME) + 1]
                    if folder.joinpath(*package, "__init__.py").is_file():
                        return ".".join(package), folder
                waiting += [
                    folder.joinpath(*parts).with_suffix(".py"),
                    folder.joinpath(*parts, "__init__.py"),
                ]
    return None


def _imports(file: Path) -> Iterator[str]:
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def use_copy(package: str, folder: Path) -> ModuleType:
    """Have ``import fastreid`` and every submodule mean those of ``package``, which lies in ``folder``."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    sys.meta_path.insert(0, _CopyFinder(package))
    return importlib.import_module(NAME)


class _CopyFinder(importlib.abc.MetaPathFinder):
    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != NAME and not fullname.startswith(f"{NAME}."):
            return None
        original = self.package + fullname[len(NAME) :]
        if importlib.util.find_spec(original) is None:
            return None
        return importlib.util.spec_from_loader(fullname, _CopyLoader(original))


class _CopyLoader(importlib.abc.Loader):
    def __init__(self, original: str) -> None:
        self.original = original

    def exec_module(self, module: ModuleType) -> None:
        # what is in sys.modules afterwards is what the import gives
        sys.modules[module.__name__] = importlib.import_module(self.original)
