"""Where a large array lives: on the device, in host memory, or memory-mapped on disk."""

import os

import torch
from torch import Tensor


def allocate_rows(
    shape: tuple[int, int], storage: str, device: torch.device, folder: str | os.PathLike | None
) -> Tensor:
    """A zero-filled float32 tensor of ``shape``."""
    with torch.inference_mode(False):
        return torch.zeros(shape, dtype=torch.float32, device=device)
