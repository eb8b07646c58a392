"""Batches on their way from an accelerator to the host, without training waiting for them."""

from collections import deque
from collections.abc import Callable

import torch
from torch import Tensor

Consumer = Callable[[Tensor, Tensor], None]


class HostQueue:
    """Hands ``(sample_index [B], logits [B, C])`` to ``consume`` in host memory, in order.

    From CUDA, copies go to pinned memory beside the computation, and are consumed at a later call, when they
    have arrived; ``depth`` batches at most are under way. From the CPU they are consumed at once.
    """

    def __init__(self, consume: Consumer, depth: int = 16) -> None:
        self._consume, self._depth = consume, depth
        self._under_way: deque[tuple[Tensor, Tensor, torch.cuda.Event]] = deque()

    def put(self, sample_index: Tensor, logits: Tensor) -> None:
        """Take a batch, in whatever type and on whatever device it is."""
        if logits.device.type != "cuda":
            self._consume(sample_index.cpu(), logits.cpu())
            return
        index, values = _pinned_copy(sample_index), _pinned_copy(logits)
        arrived = torch.cuda.Event()
        arrived.record()
        self._under_way.append((index, values, arrived))
        while self._under_way and (len(self._under_way) > self._depth or self._under_way[0][2].query()):
            self._take_first()

    def flush(self) -> None:
        """Wait for what is under way."""
        while self._under_way:
            self._take_first()

    def _take_first(self) -> None:
        sample_index, logits, arrived = self._under_way.popleft()
        arrived.synchronize()
        self._consume(sample_index, logits)


def _pinned_copy(tensor: Tensor) -> Tensor:
    pinned = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    return pinned.copy_(tensor, non_blocking=True)
