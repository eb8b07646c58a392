"""Applying the compat patches, once in a process."""

import os

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin.compat import (
    checkpoints,
    configuration,
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
    printing,
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
    *evaluation.PATCHES,
    samplers.PATCH,
    *checkpoints.PATCHES,
    *resuming.PATCHES,
    pretrained.PATCH,
    printing.PATCH,
    *mistakes.PATCHES,
    configuration.PATCH,
    *extension.PATCHES,
)

# Where the patched package itself says what was done to it.
_RECORD = "_fastreid_prune_patches"


def apply_patches() -> dict[str, str]:
    """Apply every patch that this environment needs; later calls change nothing.

    Patches named in the environment variable ``FASTREID_PRUNE_WITHOUT`` (comma-separated) are left out.

    Returns:
        patch name -> ``"active"``, ``"not needed"`` or ``"switched off"``.
    """
    import fastreid

    if done := getattr(fastreid, _RECORD, None):
        return dict(done)
    off, status = switched_off(), {}
    for patch in PATCHES:
        if patch.name in off:
            status[patch.name] = "switched off"
        elif not patch.needed():
            status[patch.name] = "not needed"
        else:
            patch.apply()
            status[patch.name] = "active"
    setattr(fastreid, _RECORD, status)
    return dict(status)


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
