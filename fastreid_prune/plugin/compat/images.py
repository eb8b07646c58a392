"""Decoded images become tensors without the storages that torch is about to drop."""

import functools

import numpy as np

from fastreid_prune.plugin.compat.patch import Patch, always
from fastreid_prune.plugin.compat.rebind import rebind


def _without_typed_storage() -> None:
    import torch
    from fastreid.data.transforms import functional

    original = functional.to_tensor

    @functools.wraps(original)
    def to_tensor(pic):
        if getattr(pic, "mode", "") not in ("L", "RGB"):
            return original(pic)
        pixels = torch.from_numpy(np.array(pic)).view(pic.height, pic.width, -1)
        return pixels.permute(2, 0, 1).float().contiguous()

    rebind(original, to_tensor)


PATCH = Patch(
    name="image-tensor",
    breaks="every loading worker warns of TypedStorage, which torch is to remove, at every epoch",
    versions="torch >= 2.0",
    needed=always,
    apply=_without_typed_storage,
)
