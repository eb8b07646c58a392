"""Images are transformed as today's torchvision does it, and become tensors without storages torch is to drop."""

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


def _affine_is_refused() -> bool:
    from inspect import signature

    from torchvision.transforms import RandomAffine

    return "resample" not in signature(RandomAffine).parameters


def _with_todays_affine() -> None:
    from types import SimpleNamespace

    from fastreid.data.transforms import build
    from torchvision import transforms

    def random_affine(*arguments, resample=False, fillcolor=0, **named):
        # False was torchvision's own name for the nearest pixel
        interpolation = transforms.InterpolationMode.NEAREST if resample is False else resample
        return transforms.RandomAffine(*arguments, interpolation=interpolation, fill=fillcolor, **named)

    build.T = SimpleNamespace(**{**vars(build.T), "RandomAffine": random_affine})


PATCHES = (
    Patch(
        name="affine",
        breaks="INPUT.AFFINE ends with TypeError: RandomAffine got an unexpected keyword argument 'resample'",
        versions="torchvision >= 0.15",
        needed=_affine_is_refused,
        apply=_with_todays_affine,
    ),
    Patch(
        name="image-tensor",
        breaks="every loading worker warns of TypedStorage, which torch is to remove, at every epoch",
        versions="torch >= 2.0",
        needed=always,
        apply=_without_typed_storage,
    ),
)
