"""Checkpoints: written whole, and readable by today's ``torch.load``."""

import functools
import os
from typing import Any

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.files import save_tensors, written_whole
from fastreid_prune.plugin.compat.patch import Patch, always


def _write_whole() -> None:
    from fastreid.utils.checkpoint import Checkpointer

    def save(self: Any, name: Any, **kwargs: Any) -> None:
        if not self.save_dir or not self.save_to_disk:
            return
        data = {"model": self.model.state_dict()}
        data.update({key: value.state_dict() for key, value in self.checkpointables.items()})
        data.update(kwargs)
        path = os.path.join(self.save_dir, f"{name}.pth")
        self.logger.info(f"Saving checkpoint to {path}")
        save_tensors(data, path)
        self.tag_last_checkpoint(f"{name}.pth")

    def tag_last_checkpoint(self: Any, last_filename_basename: Any) -> None:
        with written_whole(os.path.join(self.save_dir, "last_checkpoint")) as temporary:
            temporary.write_text(last_filename_basename)

    Checkpointer.save = save
    Checkpointer.tag_last_checkpoint = tag_last_checkpoint


def _read_plain_numbers() -> None:
    import torch
    from fastreid.utils.checkpoint import Checkpointer

    original = Checkpointer._load_file

    @functools.wraps(original)
    def _load_file(self: Any, f: Any) -> Any:
        scalar = np.float64(0).__reduce__()[0]
        kinds: list[Any] = [np.dtype, type(np.dtype(np.float64)), type(np.dtype(np.float32))]
        with torch.serialization.safe_globals([scalar, *kinds]):
            try:
                return original(self, f)
            except Exception as error:
                raise FastreidPruneError(
                    f"{f}: not a checkpoint that can be loaded safely ({error})."
                ) from error

    Checkpointer._load_file = _load_file


def _name_missing_weights() -> None:
    from fastreid.utils.checkpoint import Checkpointer

    original_load, original_resume = Checkpointer.load, Checkpointer.resume_or_load

    @functools.wraps(original_load)
    def load(self: Any, path: Any, *args: Any, **kwargs: Any) -> Any:
        check_weights(path)
        return original_load(self, path, *args, **kwargs)

    @functools.wraps(original_resume)
    def resume_or_load(self: Any, path: Any, *, resume: Any = True) -> Any:
        if not path and not (resume and self.has_checkpoint()):
            self.logger.info("No checkpoint found. Training model from scratch")
            return {}
        return original_resume(self, path, resume=resume)

    Checkpointer.load, Checkpointer.resume_or_load = load, resume_or_load


def check_weights(path: str) -> None:
    """Refuse weights that are not there; addresses are left to fastreid.

    Raises:
        FastreidPruneError: no path at all, a folder, or no such file.
    """
    if not path:
        raise FastreidPruneError(
            "MODEL.WEIGHTS: no weights are given, so a random model would be evaluated. Name a checkpoint, such as "
            "MODEL.WEIGHTS logs/run/model_final.pth."
        )
    if os.path.isdir(path):
        found = sorted(name for name in os.listdir(path) if name.endswith(".pth"))
        inside = f"it holds {', '.join(found)}" if found else "and holds no checkpoint"
        raise FastreidPruneError(
            f"{path}: a folder, {inside}. Name a file: MODEL.WEIGHTS {path}/model_final.pth."
        )
    if "://" not in path and not os.path.isfile(path):
        raise FastreidPruneError(
            f"{path}: no such checkpoint. Name the file of a training: MODEL.WEIGHTS or --resume."
        )


def _loads_weights_only() -> bool:
    import torch

    return hasattr(torch.serialization, "safe_globals")


PATCHES = (
    Patch(
        name="checkpoint-write",
        breaks="a run killed while it saves leaves half a checkpoint, or a `last_checkpoint` that names nothing",
        versions="all",
        needed=always,
        apply=_write_whole,
    ),
    Patch(
        name="checkpoint-read",
        breaks="`--resume` stops: torch.load refuses the numpy number (`metric`) in fastreid's own checkpoints",
        versions="torch >= 2.6",
        needed=_loads_weights_only,
        apply=_read_plain_numbers,
    ),
    Patch(
        name="weights",
        breaks="`--eval-only` without MODEL.WEIGHTS measures a random model, with status 0; weights that are not there "
        "end in a traceback",
        versions="all",
        needed=always,
        apply=_name_missing_weights,
    ),
)
