"""The recorder's state, saved with fastreid's checkpoints, so that a killed run resumes without a gap."""

import hashlib
import logging
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

from fastreid.utils import comm

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.trajectory import FeatureRecorder, LogitRecorder, Samples, load_trajectory, save_state
from fastreid_prune.trajectory.state import read_state

logger = logging.getLogger("fastreid.prune")

# The newest checkpoint may still be the previous one when a state is written.
_KEPT = 2


class CaptureState:
    """Keeps checkpoints and recorded epochs together.

    The recorder's state is a file a rank and epoch, ``state/epoch_0003.rank0.pt``, written whole before the checkpoint
    of that epoch; the checkpoint itself holds only which run and epoch it belongs to. So whatever moment the process
    is killed at, the checkpoint that fastreid resumes from finds exactly the epochs that led to it. When the run's
    files are complete, the states go, all at once.
    """

    def __init__(
        self, recorder: LogitRecorder | FeatureRecorder, samples: Samples, folder: Path, **settings: str
    ):
        """State of ``recorder``, which captures ``samples``, in ``folder``/state of the run's own ``folder``.

        ``settings`` are those that a resumed run has to share.
        """
        self.recorder = recorder
        self.samples = samples
        self.folder = folder
        self.states = folder / "state"
        self.settings = settings
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
                self._clear()
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
        if self._is_complete(start_epoch):
            logger.info(f"The capture is complete: {self.folder}")
            return
        path = self._path(self.epoch)
        if not path.exists():
            raise self._mismatch(expected, f"there is no {path}")
        state = read_state(path, start_epoch)
        for key, own in self._identity().items():
            if state.get(key) != own:
                raise self._mismatch(
                    expected, f"{path} was recorded with {key} {state.get(key)}, this run has {own}"
                )
        self.recorder.load_state_dict(state, copy=False)
        logger.info(f"Resuming the capture after epoch {self.epoch}.")

    def take_up_complete(self) -> None:
        """Go on with a run whose capture ended before the checkpoint that it resumes from.

        Raises:
            FastreidPruneError: the checkpoint is of a run that captured nothing.
        """
        if self._resumed is None:
            raise self._mismatch("an earlier epoch", "the checkpoint is of a run that captured nothing")
        self.run, self.epoch = self._resumed["run"], self._resumed["epoch"]

    def save(self, epoch: int) -> None:
        """Write this rank's state after ``epoch``, before the checkpoint of that epoch is written."""
        save_state(self.recorder, self._path(epoch), **self._identity())
        self.epoch = epoch
        comm.synchronize()
        own = sorted(self.states.glob(f"epoch_*.rank{comm.get_rank()}.pt"))
        for file in own[:-_KEPT]:
            file.unlink()

    def discard(self) -> None:
        """Remove all state: the run is complete and its trajectory written."""
        if comm.is_main_process():
            done = self.folder / "state.done"
            shutil.rmtree(done, ignore_errors=True)
            if self.states.exists():
                os.replace(self.states, done)
                shutil.rmtree(done)

    def _is_complete(self, epochs: int) -> bool:
        """Whether the run was killed after its last file: no state is left, and the trajectory is its own."""
        if self.states.exists():
            return False
        try:
            trajectory = load_trajectory(self.folder)
        except FastreidPruneError:
            return False
        return trajectory.meta.get("run") == self.run and trajectory.num_epochs == epochs

    def _clear(self) -> None:
        """Remove what an earlier run left that this one would not replace."""
        shutil.rmtree(self.states, ignore_errors=True)
        shutil.rmtree(self.folder / "state.done", ignore_errors=True)
        trajectory = self.folder / "trajectory"
        if (trajectory / "logits").exists() or (trajectory / "factors").exists():
            shutil.rmtree(trajectory)

    def _identity(self) -> dict[str, Any]:
        rows = zip(self.samples.file_name, self.samples.pid, strict=True)
        names = "\n".join(f"{name}\t{pid}" for name, pid in rows)
        return {
            "run": self.run,
            "processes": comm.get_world_size(),
            "samples": hashlib.sha256(names.encode()).hexdigest(),
            **self.settings,
        }

    def _path(self, epoch: int) -> Path:
        return self.states / f"epoch_{epoch:04d}.rank{comm.get_rank()}.pt"

    def _mismatch(self, expected: str, found: str) -> FastreidPruneError:
        return FastreidPruneError(
            f"--resume: the capture of {expected} is needed, but {found}. Epochs would be missing from the trajectory: "
            "start the scoring run anew, without --resume."
        )
