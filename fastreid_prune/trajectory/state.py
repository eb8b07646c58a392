"""A recorder's state in one file, for runs that may be killed."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.files import save_tensors


class Recorder(Protocol):
    """What can be saved and resumed."""

    num_epochs: int

    def state_dict(self) -> dict[str, Any]:
        """Everything in the closed epochs."""

    def load_state_dict(self, state: Mapping[str, Any], *, copy: bool = True) -> None:
        """Go on from a state."""


def save_state(recorder: Recorder, path: str | os.PathLike) -> None:
    """Write the recorder's state onto ``path``; what was there stays until the new file is whole and on disk.

    Raises:
        FastreidPruneError: the disk is full or the folder cannot be written to.
    """
    save_tensors(recorder.state_dict(), path)


def load_state(recorder: Recorder, path: str | os.PathLike, epochs: int | None = None) -> None:
    """Go on from the state at ``path``.

    Args:
        recorder: of the same sizes as the one that was saved.
        path: what :func:`save_state` wrote.
        epochs: how many epochs the training checkpoint holds; None: do not compare.

    Raises:
        FastreidPruneError: the file is missing or damaged, of another data set, or of another epoch than the
            checkpoint: going on would count an epoch twice or lose one.
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
    recorder.load_state_dict(state, copy=False)
