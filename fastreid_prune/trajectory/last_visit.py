"""Where one value of a sample is kept, it is that of its last visit, also within a batch."""

import torch
from torch import Tensor


def last_occurrences(sample_index: Tensor) -> Tensor:
    """For each position of ``sample_index`` ``[B]``, the last position ``[B]`` with the same sample.

    >>> last_occurrences(torch.tensor([7, 3, 7]))
    tensor([2, 1, 2])
    """
    same = sample_index.unsqueeze(0) == sample_index.unsqueeze(1)
    return (same * torch.arange(len(sample_index), device=same.device)).amax(1)


class LastRows:
    """``[N, D]`` float32 on the device of the first batch; rows never written are NaN."""

    def __init__(self, num_samples: int) -> None:
        self.num_samples = num_samples
        self.tensor: Tensor | None = None

    def put(self, sample_index: Tensor, values: Tensor) -> None:
        """Write ``values`` ``[B, D]``. All writes to one row carry the same value: in any order."""
        values = values.detach().to(torch.float32)
        if self.tensor is None:
            # a tensor made under inference mode could not be written to outside it
            with torch.inference_mode(False):
                shape = (self.num_samples, values.shape[1])
                self.tensor = torch.full(shape, float("nan"), device=values.device)
        last = last_occurrences(sample_index)
        self.tensor.index_copy_(0, sample_index, values[last].to(self.tensor.device))
