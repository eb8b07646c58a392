"""A recorder's state in one file, for runs that may be killed."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.files import save_tensors


class Recorder(Protocol):
    """What can be saved and resumed."""

    @property
    def num_epochs(self) -> int:
        """How many epochs are closed."""

    def state_dict(self) -> dict[str, Any]:
        """Everything in the closed epochs."""

    def load_state_dict(self, state: Mapping[str, Any], *, copy: bool = True) -> None:
        """Go on from a state."""


def save_state(recorder: Recorder, path: str | os.PathLike, **whose: str | int) -> None:
    """Write the recorder's state onto ``path``; what was there stays until the new file is whole and on disk.

    Args:
        recorder: between two epochs.
        path: the file.
        whose: what else the file is to say, under keys that are not the state's own.

    Raises:
        FastreidPruneError: the disk is full or the folder cannot be written to.
    """
    save_tensors({**whose, **recorder.state_dict()}, path)


def read_state(path: str | os.PathLike, epochs: int | None = None) -> dict[str, Any]:
    """The state at ``path``, its large tensors memory-mapped.

    Args:
        path: what :func:`save_state` wrote.
        epochs: how many epochs the training checkpoint holds; None: do not compare.

    Raises:
        FastreidPruneError: the file is missing or damaged, or of another epoch than the checkpoint: going on
            would count an epoch twice or lose one.
    """
    path = Path(path)
    try:
        state = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
        found = state["epochs"]
    except Exception as error:  # torch.load raises many kinds for a damaged file
        reason = (
            "it is missing" if isinstance(error, FileNotFoundError) else f"{type(error).__name__}: {error}"
        )
        raise FastreidPruneError(
            f"{path}: the recorder's state cannot be read ({reason}). Without it the epochs before are lost: "
            "start the run anew in an empty output folder."
        ) from error
    if epochs is not None and found != epochs:
        raise FastreidPruneError(
            f"{path}: holds {found} recorded epochs, and the training checkpoint {epochs}. Going on would "
            "count an epoch twice or lose one. Resume from a checkpoint that fits, or start anew in an empty "
            "output folder."
        )
    return state


def load_state(recorder: Recorder, path: str | os.PathLike, epochs: int | None = None) -> None:
    """Go on from the state at ``path``, in a recorder of the same sizes as the one that was saved.

    Raises:
        FastreidPruneError: as for :func:`read_state`, or the state is of another data set.
    """
    recorder.load_state_dict(read_state(path, epochs), copy=False)
