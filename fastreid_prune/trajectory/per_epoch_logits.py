"""Whole trajectories, for plots and research: the logits of every epoch, one float16 file each."""

import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.files import cannot_write
from fastreid_prune.trajectory.host_queue import HostQueue
from fastreid_prune.trajectory.storage import reserve


class EpochWriter:
    """Writes ``folder/epoch_0000.npy`` and so on, ``[N, C]`` float16; ``2 N C`` bytes of disk an epoch.

    A row is the sample's last visit in the epoch, NaN without one; logits beyond +-65504 become infinite. A
    file has its final name only when its epoch is complete, so that a run that was killed and resumed writes
    it anew.
    """

    def __init__(self, folder: str | os.PathLike, shape: tuple[int, int]) -> None:
        self.folder, self._shape = Path(folder), shape
        self._file: np.memmap | None = None
        self._queue = HostQueue(self._write)

    def put(self, sample_index: Tensor, logits: Tensor) -> None:
        """Take a batch: rows ``[B]`` int64 and logits ``[B, C]`` on any device."""
        if self._file is None:
            self._file = self._open()
        self._queue.put(sample_index, logits.to(torch.float16))

    def end_epoch(self, epoch: int) -> None:
        """Give the epoch's file its name."""
        self._queue.flush()
        if self._file is None:
            self._file = self._open()
        self._file.flush()
        self._file = None
        os.replace(self._part, epoch_path(self.folder, epoch))

    def end_fill(self, epoch: int, rows: np.ndarray) -> None:
        """Move what was written since, at ``rows`` ``[K]``, into the file of ``epoch``."""
        self._queue.flush()
        if self._file is None:
            return
        target = np.load(epoch_path(self.folder, epoch), mmap_mode="r+")
        target[rows] = self._file[rows]
        target.flush()
        self._file = None
        self._part.unlink()

    @property
    def _part(self) -> Path:
        return self.folder / "epoch.npy.part"

    def _write(self, sample_index: Tensor, logits: Tensor) -> None:
        # of a row that occurs several times, the last assignment stays
        assert self._file is not None
        self._file[sample_index.numpy()] = logits.numpy()

    def _open(self) -> np.memmap:
        header = {"descr": "<f2", "fortran_order": False, "shape": self._shape}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with open(self._part, "wb") as file:
                np.lib.format.write_array_header_1_0(file, header)
                file.flush()
                reserve(file.fileno(), file.tell() + 2 * self._shape[0] * self._shape[1])
        except OSError as error:
            raise cannot_write(self._part, error) from error
        mapped = np.load(self._part, mmap_mode="r+")
        mapped[:] = np.nan
        return mapped


def epoch_path(folder: str | os.PathLike, epoch: int) -> Path:
    """The file of an epoch (0, 1, ...)."""
    return Path(folder) / f"epoch_{epoch:04d}.npy"


def open_epoch(folder: str | os.PathLike, epoch: int) -> np.memmap:
    """The logits ``[N, C]`` float16 of an epoch, memory-mapped.

    Raises:
        FastreidPruneError: the file is missing or damaged.
    """
    path = epoch_path(folder, epoch)
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise FastreidPruneError(
            f"{path}: cannot be read ({error}). Whole trajectories are kept only on request: see keep_logits."
        ) from error
