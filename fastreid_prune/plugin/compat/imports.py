"""Names that fastreid imports and that today's Python and torch no longer have."""

import collections
import collections.abc
import importlib.util
import sys
import types

from fastreid_prune.plugin.compat.patch import Patch


def _restore_mapping() -> None:
    setattr(collections, "Mapping", collections.abc.Mapping)  # noqa: B010


def _restore_torch_six() -> None:
    module = types.ModuleType("torch._six")
    vars(module)["string_classes"] = (str, bytes)
    sys.modules["torch._six"] = module


PATCHES = (
    Patch(
        name="collections-mapping",
        breaks="`from collections import Mapping` in fastreid.data and fastreid.evaluation: ImportError",
        versions="Python >= 3.10",
        needed=lambda: not hasattr(collections, "Mapping"),
        apply=_restore_mapping,
    ),
    Patch(
        name="torch-six",
        breaks="`from torch._six import string_classes` in fastreid.data (the wheel): ModuleNotFoundError",
        versions="torch >= 2.0",
        needed=lambda: "torch._six" not in sys.modules and importlib.util.find_spec("torch._six") is None,
        apply=_restore_torch_six,
    ),
)
