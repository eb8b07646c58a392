"""Samples that count for more: their gradients are multiplied where they leave the head.

The cross-entropy of a batch is a mean of one loss a sample; to multiply the gradient of a sample's logits is to
multiply its loss. A batch-hard triplet loss has no loss of one sample: it pulls and pushes the features of images, and
the pull on each image is multiplied by that image's weight.
"""

from typing import Any

import torch
from torch import Tensor, nn

from fastreid_prune.plugin.heads import all_heads


class _ScaledGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(weight)
        return values.view_as(values)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (weight,) = ctx.saved_tensors
        return gradient * weight.to(gradient.dtype).view(-1, *[1] * (gradient.dim() - 1)), None


def scale_gradient(values: Tensor, weight: Tensor) -> Tensor:
    """``values`` ``[B, …]`` as they are; in the backward pass each row's gradient is multiplied by ``weight`` ``[B]``.

    >>> values = torch.ones(2, 3, requires_grad=True)
    >>> scale_gradient(values, torch.tensor([1.0, 2.0])).sum().backward()
    >>> values.grad[:, 0]
    tensor([1., 2.])
    """
    return _ScaledGradient.apply(values, weight)


class Rescaling:
    """Multiplies the gradients of a model's samples while training."""

    def __init__(self, model: nn.Module) -> None:
        self.weight: Tensor | None = None
        self._batch: Tensor | None = None
        self._handles = [model.register_forward_pre_hook(self._see_batch)]
        self._handles += [head.register_forward_hook(self._scale) for head in all_heads(model).values()]

    def close(self) -> None:
        """Remove the hooks."""
        for handle in self._handles:
            handle.remove()

    def _see_batch(self, module: nn.Module, arguments: tuple) -> None:
        self._batch = None
        if self.weight is not None and module.training and "sample_index" in arguments[0]:
            rows = arguments[0]["sample_index"]
            self._batch = self.weight.to(rows.device)[rows]

    def _scale(self, module: nn.Module, arguments: tuple, output: Any) -> Any:
        if self._batch is None or not isinstance(output, dict):
            return output
        weight = self._batch
        scaled = {
            name: scale_gradient(output[name], weight.to(output[name].device, non_blocking=True))
            for name in ("cls_outputs", "features")
            if isinstance(output.get(name), Tensor) and output[name].requires_grad
        }
        return {**output, **scaled}
