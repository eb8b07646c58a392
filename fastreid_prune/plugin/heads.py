"""Finding the classifier head, and reading its logits in training and in evaluation mode."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fastreid_prune.errors import FastreidPruneError

# on_logits(sample_index [B], logits [B, C], labels [B], features [B, D] or None)
OnLogits = Callable[[Tensor, Tensor, Tensor, Tensor | None], None]


def find_head(model: nn.Module, name: str = "") -> tuple[str, nn.Module]:
    """The head whose logits are captured, and the name it has in the model.

    A head is a module with a classifier: fastreid's ``cls_layer`` and ``weight``.

    Args:
        model: without DistributedDataParallel around it.
        name: ``PRUNE.CAPTURE.HEAD``; empty for the only head of the model.

    Raises:
        FastreidPruneError: no such head, none at all, or several and no name.
    """
    heads = all_heads(model)
    listed = ", ".join(heads) or "none"
    if name:
        if name not in heads:
            raise FastreidPruneError(
                f"PRUNE.CAPTURE.HEAD: no head {name!r} in the model; its heads are: {listed}."
            )
        return name, heads[name]
    if not heads:
        raise FastreidPruneError(
            f"PRUNE.CAPTURE: {type(model).__name__} has no classifier head with `cls_layer` and `weight`, so there are "
            "no logits to capture."
        )
    if len(heads) > 1:
        raise FastreidPruneError(
            f"PRUNE.CAPTURE.HEAD: {type(model).__name__} has several heads ({listed}). Choose one of them."
        )
    return next(iter(heads.items()))


def all_heads(model: nn.Module) -> dict[str, nn.Module]:
    """Every module of a model that has a classifier, by its name."""
    return {
        path: module
        for path, module in model.named_modules()
        if isinstance(getattr(module, "cls_layer", None), nn.Module) and hasattr(module, "weight")
    }


def linear_classifier(head: nn.Module) -> tuple[Tensor, bool]:
    """A head's classifier as one matrix: ``logits = features @ weight.T``, without margin, after the scale.

    Returns:
        The weight ``[C, D]``, and whether the features are to be brought to length 1 first.
    """
    classifier: Any = head.cls_layer
    parameter: Any = head.weight
    scale, weight = classifier.s, parameter.detach()
    if type(classifier).__name__ == "Linear":
        return scale * weight, False
    return scale * F.normalize(weight), True


class HeadTap:
    """Reads what a head says of each training batch, while :meth:`open` says so."""

    def __init__(self, model: nn.Module, head: nn.Module, on_logits: OnLogits):
        """Listen to ``model`` (for the batch) and to ``head`` (for its logits); :meth:`close` stops it."""
        self._on_logits = on_logits
        self._batch: dict[str, Any] | None = None
        self.is_open = False
        self._handles = [
            model.register_forward_pre_hook(self._see_batch),
            head.register_forward_hook(self._see_logits),
        ]
        self._neck: Tensor | None = None
        if isinstance(bottleneck := getattr(head, "bottleneck", None), nn.Module):
            self._handles.append(bottleneck.register_forward_hook(self._see_neck))

    def close(self) -> None:
        """Remove the hooks."""
        for handle in self._handles:
            handle.remove()

    def _see_batch(self, module: nn.Module, arguments: tuple) -> None:
        if self.is_open:
            self._batch = arguments[0]

    def _see_logits(self, module: nn.Module, arguments: tuple, output: Any) -> None:
        if not self.is_open or self._batch is None:
            return
        batch, self._batch = self._batch, None
        neck, self._neck = self._neck, None
        features = output.get("features") if neck is None else neck.detach().flatten(1)
        self._on_logits(batch["sample_index"], _logits(module, output).detach(), batch["targets"], features)

    def _see_neck(self, module: nn.Module, arguments: tuple, output: Tensor) -> None:
        if self.is_open:
            self._neck = output


@contextmanager
def clean_logits(model: nn.Module, head: nn.Module, on_logits: OnLogits) -> Iterator[Callable[[dict], None]]:
    """Inside the block, the yielded function runs the model in evaluation mode on a batch and reads the head's logits.

    A head gives logits in its training branch only. So the model is in evaluation mode with everything in it (batch
    norm by its running statistics, no dropout), and the head alone, not its parts, is told that it trains; the labels
    that this branch asks for are handed to it. The logits are then the head's own, whatever its type: without margin,
    after the scale. The features are what the head would return in evaluation: those that retrieval compares.
    """
    batch: dict[str, Any] = {}
    neck: list[Tensor] = []

    def hand_labels(module: nn.Module, arguments: tuple) -> tuple:
        return (arguments[0], batch["targets"])

    def see_neck(module: nn.Module, arguments: tuple, output: Tensor) -> None:
        neck.append(output)

    def see_logits(module: nn.Module, arguments: tuple, output: dict[str, Tensor]) -> Tensor:
        logits = _logits(module, output)
        features = neck.pop().flatten(1) if neck else output["features"]
        on_logits(batch["sample_index"], logits, batch["targets"], features)
        return features

    def run(inputs: dict[str, Any]) -> None:
        device = next(model.parameters()).device
        batch.update(
            {key: value.to(device) if isinstance(value, Tensor) else value for key, value in inputs.items()}
        )
        model(batch)

    was_training = model.training
    model.eval()
    head.training = True
    handles = [head.register_forward_pre_hook(hand_labels), head.register_forward_hook(see_logits)]
    if isinstance(bottleneck := getattr(head, "bottleneck", None), nn.Module):
        handles.append(bottleneck.register_forward_hook(see_neck))
    try:
        with torch.no_grad():
            yield run
    finally:
        for handle in handles:
            handle.remove()
        model.train(was_training)


def _logits(head: nn.Module, output: Any) -> Tensor:
    if not isinstance(output, dict) or "pred_class_logits" not in output:
        raise FastreidPruneError(
            f"PRUNE.CAPTURE: the head {type(head).__name__} gives no `pred_class_logits` in training, as fastreid's "
            "do, so there are no logits to capture. Choose another head with PRUNE.CAPTURE.HEAD."
        )
    return output["pred_class_logits"]
