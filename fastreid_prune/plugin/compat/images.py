"""Images are read in one way, whatever their mode, and transformed as today's torchvision and torch do it."""

import functools
from typing import Any

import numpy as np
from PIL import Image

from fastreid_prune.io.images import read_rgb
from fastreid_prune.plugin.compat.patch import Patch, always
from fastreid_prune.plugin.compat.rebind import rebind


def _without_typed_storage() -> None:
    import torch
    from fastreid.data.transforms import functional

    original = functional.to_tensor

    @functools.wraps(original)
    def to_tensor(pic: Any) -> Any:
        if getattr(pic, "mode", "") not in ("L", "RGB"):
            return original(pic)
        pixels = torch.from_numpy(np.array(pic)).view(pic.height, pic.width, -1)
        return pixels.permute(2, 0, 1).float().contiguous()

    rebind(original, to_tensor)


def _as_the_page_shows_them() -> None:
    from fastreid.data import data_utils

    original = data_utils.read_image

    @functools.wraps(original)
    def read_image(file_name: str, format: str | None = None) -> Image.Image:
        return read_rgb(file_name) if format in (None, "RGB") else original(file_name, format)

    rebind(original, read_image)


def _affine_is_refused() -> bool:
    from inspect import signature

    from torchvision.transforms import RandomAffine

    return "resample" not in signature(RandomAffine).parameters


def _with_todays_affine() -> None:
    from types import SimpleNamespace

    from fastreid.data.transforms import build
    from torchvision import transforms

    def random_affine(*arguments: Any, resample: Any = False, fillcolor: Any = 0, **named: Any) -> Any:
        # False was torchvision's own name for the nearest pixel
        interpolation = transforms.InterpolationMode.NEAREST if resample is False else resample
        return transforms.RandomAffine(*arguments, interpolation=interpolation, fill=fillcolor, **named)

    build.T = SimpleNamespace(**{**vars(build.T), "RandomAffine": random_affine})


PATCHES = (
    Patch(
        name="image-modes",
        breaks="a palette's picture is trained on as its indices, 16 bits wrap around, four channels end the run",
        versions="every version",
        needed=always,
        apply=_as_the_page_shows_them,
    ),
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
