"""Scores from a trajectory: one file a method, one number a sample, higher is more worth keeping.

A new method is a new file here with a function under the decorator :func:`.registry.method`.
"""

import importlib
import pkgutil

from fastreid_prune.scores.registry import Method, available, compute, get, method

__all__ = ["Method", "available", "compute", "get", "method"]

for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")
