"""Pretrained backbones on machines that cannot download them."""

import functools
import os
from pathlib import Path
from typing import Any

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin.compat.patch import Patch, always

_BACKBONES = ("resnet", "resnext", "osnet", "regnet.regnet", "regnet.effnet")


def cache_folder() -> Path:
    """Where fastreid looks for downloaded weights."""
    default = os.path.join(os.getenv("XDG_CACHE_HOME", "~/.cache"), "torch")
    return Path(os.path.expanduser(os.getenv("TORCH_HOME", default))) / "checkpoints"


def _explain_missing_weights() -> None:
    import importlib

    for name in _BACKBONES:
        module: Any = importlib.import_module(f"fastreid.modeling.backbones.{name}")
        module.init_pretrained_weights = _explaining(module.init_pretrained_weights, module.model_urls)


def _explaining(original: Any, urls: Any) -> Any:
    @functools.wraps(original)
    def init_pretrained_weights(key: Any) -> Any:
        url = urls[key]
        target = cache_folder() / url.split("/")[-1]
        try:
            return original(key)
        except (Exception, SystemExit) as error:
            raise FastreidPruneError(
                f"MODEL.BACKBONE.PRETRAIN: the ImageNet weights {target.name} are not on this machine and could not be "
                f"downloaded ({type(error).__name__}: {error}). Download {url} elsewhere and put the file into "
                f"{target.parent}, or set MODEL.BACKBONE.PRETRAIN False to train from scratch."
            ) from error

    return init_pretrained_weights


PATCH = Patch(
    name="pretrained",
    breaks="MODEL.BACKBONE.PRETRAIN on a machine that cannot download ends in an error about another file",
    versions="all",
    needed=always,
    apply=_explain_missing_weights,
)
