"""What benchmarks import is there: they run for minutes, and nobody sees a name that is gone until then."""

import ast
import importlib
import importlib.util
import sys

import pytest
from written_commands import ROOT

import fastreid_prune

SCRIPTS = sorted((ROOT / "benchmarks").glob("*.py"))
OTHERS_TOOLS = (
    "cleanlab",
    "infobatch",
    "Cython",
    "setuptools",
    "chromium",
    "fiftyone",
)  # an extra's, or told where they are missing


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_what_a_benchmark_imports_exists(script, monkeypatch):
    fastreid_prune.register()  # what imports fastreid needs it able to be imported
    monkeypatch.syspath_prepend(str(script.parent))
    siblings = {path.stem: path for path in SCRIPTS}
    for module, names in imports_of(script):
        if module.split(".")[0] in OTHERS_TOOLS:
            continue
        if module in siblings:
            source = siblings[module].read_text(encoding="utf-8")
            assert all(name in source for name in names), f"{module} has not all of {names}"
        elif module.startswith("fastreid_prune"):
            loaded = importlib.import_module(module)
            for name in names:
                assert hasattr(loaded, name) or importlib.util.find_spec(f"{module}.{name}"), (
                    f"{module}.{name}"
                )
        else:
            assert module in sys.modules or importlib.util.find_spec(module.split(".")[0]), module
