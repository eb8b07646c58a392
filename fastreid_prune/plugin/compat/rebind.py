"""Replacing a function of fastreid's wherever it has been imported by name."""

import sys
from typing import Any


def rebind(original: Any, replacement: Any) -> None:
    """Make every loaded fastreid module that holds ``original`` under some name hold ``replacement`` instead."""
    # a copy that a project carries has another name
    package = sys.modules["fastreid"].__name__
    for name, module in list(sys.modules.items()):
        if name != package and not name.startswith(f"{package}."):
            continue
        for attribute, value in list(vars(module).items()):
            if value is original:
                setattr(module, attribute, replacement)
