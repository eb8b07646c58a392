"""What the ranks of a distributed run do together."""

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from fastreid.utils import comm
from torch import Tensor, nn

# A barrier of NCCL's ends the run after 10 minutes, gloo's after 30; scoring and judging on rank 0 may take hours.
PATIENCE = timedelta(days=7)


def patient_group() -> Any:
    """A new group of all ranks that takes tensors in host memory and waits for as long as rank 0 works; None if alone.

    Collective: every rank calls it at the same point.
    """
    return dist.new_group(backend="gloo", timeout=PATIENCE) if comm.get_world_size() > 1 else None


def wait_for_all(group: Any) -> None:
    """Wait until every rank is here; ``group`` from :func:`patient_group`."""
    if group is not None:
        dist.barrier(group=group)


def sum_over_ranks(values: Tensor, group: Any) -> None:
    """Add up ``values`` over the ranks, in place, wherever each rank has them: the sum is made in host memory."""
    if group is None:
        return
    total = values.detach().cpu()
    dist.all_reduce(total, group=group)
    values.copy_(total)


@contextlib.contextmanager
def buffers_of_first_rank(model: nn.Module, group: Any) -> Iterator[None]:
    """Inside the block every rank's model has the buffers of rank 0: fastreid leaves each its own batch statistics.

    Without, the features of one identity would come from several sets of statistics, by the rank that happens to see an
    image. Afterwards each rank has its own again.
    """
    if group is None:
        yield
        return
    buffers = [buffer for buffer in model.buffers() if buffer is not None]
    own = [buffer.clone() for buffer in buffers]
    for buffer in buffers:
        first = buffer.detach().cpu()
        dist.broadcast(first, 0, group=group)
        buffer.copy_(first)
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, before in zip(buffers, own, strict=True):
                buffer.copy_(before)


def gather_rows(values: Tensor, group: Any = None) -> Tensor | None:
    """The rows of all ranks' ``values``, rank after rank, on rank 0; None on the others.

    Tensors are sent as they are, and only to rank 0; fastreid's ``comm.gather`` pickles them first.

    Args:
        values: ``[n, …]`` in host memory, the same shape but for ``n``, and the same type, on every rank.
        group: takes tensors in host memory; None is the default group, or alone.
    """
    if comm.get_world_size() == 1:
        return values
    sizes = [torch.zeros(1, dtype=torch.int64) for _ in range(comm.get_world_size())]
    dist.all_gather(sizes, torch.tensor([len(values)]), group=group)
    if comm.get_rank() != 0:
        if len(values):
            dist.send(values.contiguous(), 0, group=group)
        return None
    parts = [values]
    for rank, size in enumerate(sizes[1:], start=1):
        part = torch.empty((int(size), *values.shape[1:]), dtype=values.dtype)
        if len(part):
            dist.recv(part, rank, group=group)
        parts.append(part)
    return torch.cat(parts)
