"""Batches on their way to a GPU: copied beside the computation, into memory that it no longer reads."""

from typing import Any

import torch

from fastreid_prune.plugin.compat.patch import Patch, always


def _copy_in_order() -> None:
    from fastreid.data.data_utils import DataLoaderX

    def preload(self: Any) -> None:
        """Start copying the next batch."""
        self.batch = next(self.iter, None)
        if self.batch is None:
            return
        # The memory of an earlier batch goes back to this stream's pool when Python lets go of it, though kernels that
        # read it may still be queued: what is copied next, perhaps into that memory, waits for them.
        self.stream.wait_stream(torch.cuda.current_stream(self.local_rank))
        with torch.cuda.stream(self.stream):
            for name, value in self.batch.items():
                if isinstance(value, torch.Tensor):
                    self.batch[name] = value.to(device=self.local_rank, non_blocking=True)

    def __next__(self: Any) -> dict[str, Any]:
        """The batch copied last; the next one is on its way."""
        computing = torch.cuda.current_stream(self.local_rank)
        computing.wait_stream(self.stream)
        batch = self.batch
        if batch is None:
            raise StopIteration
        for value in batch.values():
            if isinstance(value, torch.Tensor):
                value.record_stream(computing)
        self.preload()
        return batch

    DataLoaderX.preload = preload
    DataLoaderX.__next__ = __next__


PATCH = Patch(
    name="loader-streams",
    breaks="on a GPU a batch may be copied into memory that the model still reads: nothing waits in a clean pass, or "
    "in training without AMP, and samples get each other's logits",
    versions="all",
    needed=always,
    apply=_copy_in_order,
)
