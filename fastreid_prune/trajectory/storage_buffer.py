"""An ``[N, D]`` float32 array that batches are written into, on the device or beside it, where it fits.

Two ways of writing serve the recorders: the sum of all visits, or the last of them.
"""

import os
from collections.abc import Callable

import torch
from torch import Tensor

from fastreid_prune.trajectory.host_queue import HostQueue
from fastreid_prune.trajectory.storage import STORAGES, allocate_rows

Write = Callable[[Tensor, Tensor, Tensor], object]


class StorageBuffer:
    """Rows that are made at the first batch, when their device and width are known.

    Args:
        num_rows: N.
        write: ``write(rows [N, D], index [B] int64, values [B, D] float32)``, all on one device, in place.
        storage: one of :data:`.storage.STORAGES`.
        folder: where ``disk`` makes its file.
        what: what the rows are, for the log.
        start: what they hold before they are written.
    """

    def __init__(
        self,
        num_rows: int,
        write: Write,
        storage: str,
        folder: str | os.PathLike | None,
        what: str,
        start: float = 0.0,
    ) -> None:
        if storage not in STORAGES:
            raise ValueError(f"storage {storage!r}, expected one of {', '.join(STORAGES)}")
        self._num_rows, self._write, self._what, self._start = num_rows, write, what, start
        self._storage, self._folder = storage, folder
        self._placed: Tensor | None = None
        self._loaded: Tensor | None = None
        self._queue = HostQueue(self._write_here)

    @property
    def tensor(self) -> Tensor | None:
        """``[N, D]`` on its own device, complete after :meth:`flush`; None if nothing was written."""
        return self._loaded if self._placed is None else self._placed

    def put(self, index: Tensor, values: Tensor) -> None:
        """Write ``values`` ``[B, D]``, of any floating type, to the rows ``index`` ``[B]`` int64."""
        placed = self._place(values) if self._placed is None else self._placed
        if values.device == placed.device:
            self._write_here(index, values)
        else:
            self._queue.put(index, values)

    def flush(self) -> None:
        """Wait until everything is written."""
        self._queue.flush()

    def load(self, tensor: Tensor | None) -> None:
        """Go on from ``tensor`` ``[N, D]``, which must not change afterwards; None: from nothing."""
        self._queue = HostQueue(self._write_here)
        self._placed, self._loaded = None, tensor

    def _place(self, values: Tensor) -> Tensor:
        shape = (self._num_rows, values.shape[1])
        placed = allocate_rows(shape, self._storage, values.device, self._folder, self._what)
        if self._loaded is not None:
            placed.copy_(self._loaded)
        elif self._start != 0:
            placed.fill_(self._start)
        self._placed, self._loaded = placed, None
        return placed

    def _write_here(self, index: Tensor, values: Tensor) -> None:
        assert self._placed is not None
        self._write(self._placed, index, values.detach().to(torch.float32))


def last_occurrences(sample_index: Tensor) -> Tensor:
    """For each position of ``sample_index`` ``[B]``, the last position ``[B]`` with the same sample.

    >>> last_occurrences(torch.tensor([7, 3, 7]))
    tensor([2, 1, 2])
    """
    if not len(sample_index):
        return sample_index
    same = sample_index.unsqueeze(0) == sample_index.unsqueeze(1)
    return (same * torch.arange(len(sample_index), device=same.device)).amax(1)


def keep_last(rows: Tensor, sample_index: Tensor, values: Tensor) -> None:
    """Write ``values`` ``[B, D]`` to ``rows`` ``[N, D]`` at ``sample_index`` ``[B]``, in place.

    All writes to one row carry the same value, so that their order, which a GPU leaves open, is no matter.
    """
    rows.index_copy_(0, sample_index, values[last_occurrences(sample_index)])


def add_all(rows: Tensor, sample_index: Tensor, values: Tensor) -> None:
    """Add ``values`` ``[B, D]`` to ``rows`` ``[N, D]`` at ``sample_index`` ``[B]``, in place, twice where twice."""
    rows.index_add_(0, sample_index, values)
