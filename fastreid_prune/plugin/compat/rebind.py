"""Replacing a function of fastreid's wherever it has been imported by name."""

import sys
from typing import Any


def rebind(original: Any, replacement: Any) -> None:
    """Make every loaded fastreid module that holds ``original`` under some name hold ``replacement`` instead."""
    for name, module in list(sys.modules.items()):
        if name != "fastreid" and not name.startswith("fastreid."):
            continue
        for attribute, value in list(vars(module).items()):
            if value is original:
                setattr(module, attribute, replacement)
