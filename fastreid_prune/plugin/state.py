"""The recorder's state, saved with fastreid's checkpoints, so that a killed run resumes without a gap."""

import hashlib
import logging
import secrets
from pathlib import Path
from typing import Any

import torch
from fastreid.utils import comm

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.files import save_tensors
from fastreid_prune.trajectory import LogitRecorder, Samples

logger = logging.getLogger("fastreid.prune")

# The newest checkpoint may still be the previous one when a state is written.
_KEPT = 2


class CaptureState:
    """Keeps checkpoints and recorded epochs together.

    The recorder's state is a file a rank and epoch, ``state/epoch_0003.rank0.pt``, written whole before the checkpoint
    of that epoch; the checkpoint itself holds only which run and epoch it belongs to. So whatever moment the process
    is killed at, the checkpoint that fastreid resumes from finds exactly the epochs that led to it.
    """

    def __init__(self, mode: str, recorder: LogitRecorder, samples: Samples, folder: Path):
        """State of ``recorder``, which captures ``samples`` in ``mode``, in ``folder``."""
        self.recorder = recorder
        self.samples = samples
        self.folder = folder
        self.mode = mode
        self.run = ""
        self.epoch = -1
        self._resumed: dict[str, Any] | None = None

    def state_dict(self) -> dict[str, Any]:
        """For fastreid's checkpointer: which run and epoch the model's weights belong to."""
        return {"run": self.run, "epoch": self.epoch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """From fastreid's checkpointer, when it resumes."""
        self._resumed = dict(state)

    def begin(self, start_epoch: int) -> None:
        """Take up the state that the checkpoint belongs to, or start anew at epoch 0.

        Raises:
            FastreidPruneError: the checkpoint and what was recorded do not match.
        """
        if start_epoch == 0:
            self.run = comm.all_gather(secrets.token_hex(8))[0]
            if comm.is_main_process():
                for file in self.folder.glob("epoch_*.pt"):
                    file.unlink()
            comm.synchronize()
            return
        expected = f"epoch {start_epoch - 1}"
        if self._resumed is None:
            raise self._mismatch(expected, "the checkpoint is of a run that captured nothing")
        if self._resumed["epoch"] != start_epoch - 1:
            raise self._mismatch(
                expected, f"the checkpoint's capture ends with epoch {self._resumed['epoch']}"
            )
        self.run, self.epoch = self._resumed["run"], self._resumed["epoch"]
        path = self._path(self.epoch)
        if not path.exists():
            raise self._mismatch(expected, f"there is no {path}")
        state = torch.load(path, map_location="cpu", weights_only=True)
        for key, own in self._identity().items():
            if state[key] != own:
                raise self._mismatch(
                    expected, f"{path} was recorded with {key} {state[key]}, this run has {own}"
                )
        self.recorder.load_state_dict(state["recorder"])
        logger.info(f"Resuming the capture after epoch {self.epoch}.")

    def save(self, epoch: int) -> None:
        """Write this rank's state after ``epoch``, before the checkpoint of that epoch is written."""
        save_tensors({**self._identity(), "recorder": self.recorder.state_dict()}, self._path(epoch))
        self.epoch = epoch
        comm.synchronize()
        own = sorted(self.folder.glob(f"epoch_*.rank{comm.get_rank()}.pt"))
        for file in own[:-_KEPT]:
            file.unlink()

    def discard(self) -> None:
        """Remove all state: the run is complete and its trajectory written."""
        if comm.is_main_process():
            for file in self.folder.glob("epoch_*.pt"):
                file.unlink()
            if self.folder.is_dir() and not any(self.folder.iterdir()):
                self.folder.rmdir()

    def _identity(self) -> dict[str, Any]:
        rows = zip(self.samples.file_name, self.samples.pid, strict=True)
        names = "\n".join(f"{name}\t{pid}" for name, pid in rows)
        return {
            "run": self.run,
            "processes": comm.get_world_size(),
            "mode": self.mode,
            "samples": hashlib.sha256(names.encode()).hexdigest(),
        }

    def _path(self, epoch: int) -> Path:
        return self.folder / f"epoch_{epoch:04d}.rank{comm.get_rank()}.pt"

    def _mismatch(self, expected: str, found: str) -> FastreidPruneError:
        return FastreidPruneError(
            f"--resume: the capture of {expected} is needed, but {found}. Epochs would be missing from the trajectory: "
            "start the scoring run anew, without --resume."
        )
