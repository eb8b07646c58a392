"""Makes fastreid 1.4.0 run, and learn, on today's Python and torch, without touching its files.

Nothing is changed when this package is imported: :func:`apply_patches` does it, once, and remembers what it did.
"""

import os

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin.compat import (
    checkpoints,
    devices,
    evaluation,
    extension,
    gradients,
    images,
    imports,
    launch,
    loaders,
    mistakes,
    pretrained,
    resuming,
    samplers,
    streams,
)
from fastreid_prune.plugin.compat.patch import Patch

WITHOUT = "FASTREID_PRUNE_WITHOUT"

# In this order: fastreid cannot even be imported before the first ones.
PATCHES: tuple[Patch, ...] = (
    *imports.PATCHES,
    gradients.PATCH,
    *devices.PATCHES,
    launch.PATCH,
    streams.PATCH,
    *loaders.PATCHES,
    *images.PATCHES,
    evaluation.PATCH,
    samplers.PATCH,
    *checkpoints.PATCHES,
    resuming.PATCH,
    pretrained.PATCH,
    mistakes.PATCH,
    *extension.PATCHES,
)

_status: dict[str, str] = {}


def apply_patches() -> dict[str, str]:
    """Apply every patch that this environment needs; later calls change nothing.

    Patches named in the environment variable ``FASTREID_PRUNE_WITHOUT`` (comma-separated) are left out.

    Returns:
        patch name -> ``"active"``, ``"not needed"`` or ``"switched off"``.
    """
    if _status:
        return dict(_status)
    for patch in PATCHES:
        if patch.name in switched_off():
            _status[patch.name] = "switched off"
        elif not patch.needed():
            _status[patch.name] = "not needed"
        else:
            patch.apply()
            _status[patch.name] = "active"
    return dict(_status)


def switched_off() -> set[str]:
    """The patches named in ``FASTREID_PRUNE_WITHOUT``.

    Raises:
        FastreidPruneError: one of them does not exist.
    """
    names = {name.strip() for name in os.environ.get(WITHOUT, "").split(",")} - {""}
    known = [patch.name for patch in PATCHES]
    if unknown := sorted(names.difference(known)):
        raise FastreidPruneError(
            f"{WITHOUT}: no patch {', '.join(unknown)}; the patches are {', '.join(known)}."
        )
    return names
