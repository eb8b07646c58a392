"""The core serves any training: what it says to its users names no configuration key of fastreid's plug-in."""

import ast

import pytest
from written_commands import ROOT

ROOMS = ("api", "datasets", "evaluation", "io", "manifest", "purify", "report", "scored_run", "scores", "selection",
         "trajectory")  # fmt: skip


def said(path):
    """The text constants of a module that are no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


@pytest.mark.parametrize("room", ROOMS)
def test_no_message_names_a_key(room):
    files = list((ROOT / "fastreid_prune" / room).rglob("*.py"))
    found = [f"{path}:{line}" for path in files for line, text in said(path) if "PRUNE." in text]
    assert files and not found
