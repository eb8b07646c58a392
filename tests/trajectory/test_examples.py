"""The examples in the docstrings run; the first trains on scikit-learn's digits in a plain PyTorch loop."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import fastreid_prune.trajectory

ROOM = fastreid_prune.trajectory
MODULES = [
    ROOM.__name__,
    *(f"{ROOM.__name__}.{module.name}" for module in pkgutil.iter_modules(ROOM.__path__)),
]


@pytest.mark.parametrize("name", MODULES)
def test_the_docstrings_examples_run(name):
    results = doctest.testmod(importlib.import_module(name))
    assert results.failed == 0
    if name in ("fastreid_prune.trajectory", "fastreid_prune.trajectory.recorder"):
        assert results.attempted > 3


def test_recording_and_scoring_need_neither_fastreid_nor_yacs():
    code = (
        "import sys, fastreid_prune.trajectory, fastreid_prune.trajectory.ranks, fastreid_prune.scores\n"
        "found = {'fastreid', 'yacs', 'faiss', 'pyarrow', 'sklearn', 'torchvision', 'click'} & set(sys.modules)\n"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
