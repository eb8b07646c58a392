"""Checkpoints: written whole, and readable by today's ``torch.load``."""

import functools
import os

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.files import save_tensors, written_whole
from fastreid_prune.plugin.compat.patch import Patch, always


def _write_whole() -> None:
    from fastreid.utils.checkpoint import Checkpointer

    def save(self, name, **kwargs):
        if not self.save_dir or not self.save_to_disk:
            return
        data = {"model": self.model.state_dict()}
        data.update({key: value.state_dict() for key, value in self.checkpointables.items()})
        data.update(kwargs)
        path = os.path.join(self.save_dir, f"{name}.pth")
        self.logger.info(f"Saving checkpoint to {path}")
        save_tensors(data, path)
        self.tag_last_checkpoint(f"{name}.pth")

    def tag_last_checkpoint(self, last_filename_basename):
        with written_whole(os.path.join(self.save_dir, "last_checkpoint")) as temporary:
            temporary.write_text(last_filename_basename)

    Checkpointer.save = save
    Checkpointer.tag_last_checkpoint = tag_last_checkpoint


def _read_plain_numbers() -> None:
    import torch
    from fastreid.utils.checkpoint import Checkpointer

    original = Checkpointer._load_file

    @functools.wraps(original)
    def _load_file(self, f):
        scalar = np.float64(0).__reduce__()[0]
        kinds = [np.dtype, type(np.dtype(np.float64)), type(np.dtype(np.float32))]
        with torch.serialization.safe_globals([scalar, *kinds]):
            try:
                return original(self, f)
            except Exception as error:
                raise FastreidPruneError(
                    f"{f}: not a checkpoint that can be loaded safely ({error})."
                ) from error

    Checkpointer._load_file = _load_file


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
)
