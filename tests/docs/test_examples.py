"""The examples in docstrings run and give what they say."""

import doctest
import importlib
import inspect
from pathlib import Path

import pytest

import fastreid_prune

PACKAGE = Path(fastreid_prune.__file__).parent
# the plug-in changes fastreid when it is imported, and the command line starts trainings
WITHOUT_EXAMPLES = ("plugin", "cli", "__main__.py")


def modules_with_examples():
    paths = [path.relative_to(PACKAGE) for path in sorted(PACKAGE.rglob("*.py"))]
    return [
        ".".join(("fastreid_prune", *path.with_suffix("").parts)).removesuffix(".__init__")
        for path in paths
        if path.parts[0] not in WITHOUT_EXAMPLES and ">>> " in (PACKAGE / path).read_text(encoding="utf-8")
    ]


@pytest.mark.parametrize("name", modules_with_examples())
def test_the_examples_of_a_module_are_true(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    failed, tried = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert tried
    assert not failed


# decorators, what needs files of a run, and what only a run can be asked
WITHOUT_EXAMPLE = {"method", "strategy", "choose", "evaluate_archive", "load_retrieval"}


@pytest.mark.parametrize("room", ["scores", "selection", "evaluation"])
def test_every_public_function_has_an_example(room):
    module = importlib.import_module(f"fastreid_prune.{room}")
    functions = {
        name: getattr(module, name) for name in module.__all__ if inspect.isfunction(getattr(module, name))
    }
    without = {name for name, function in functions.items() if ">>> " not in (function.__doc__ or "")}
    assert functions and without <= WITHOUT_EXAMPLE
