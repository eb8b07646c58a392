"""Gradients that never reach the optimizer.

fastreid flattens the parameters into a few buffers (``ContiguousParams``); every parameter's gradient is a view of a
gradient buffer, and the optimizer knows the buffers only. Since torch 2.0 ``zero_grad()`` sets gradients to None, which
cuts the buffers off: the optimizer finds no gradient, does nothing, and no error says so. The loss stays at ln C.
"""

import functools
from typing import Any

from fastreid_prune.plugin.compat.patch import Patch
from fastreid_prune.plugin.compat.rebind import rebind


def _keep_gradients_tied() -> None:
    from fastreid.solver import build as solver
    from fastreid.utils.params import ContiguousParams

    original = solver.build_optimizer

    @functools.wraps(original)
    def build_optimizer(*args: Any, **kwargs: Any) -> Any:
        optimizer, parameters = original(*args, **kwargs)
        if isinstance(parameters, ContiguousParams):
            optimizer.zero_grad = functools.partial(optimizer.zero_grad, set_to_none=False)
        return optimizer, parameters

    rebind(original, build_optimizer)


def _zero_grad_sets_none() -> bool:
    import inspect

    import torch

    return inspect.signature(torch.optim.Optimizer.zero_grad).parameters["set_to_none"].default is True


PATCH = Patch(
    name="gradients",
    breaks="the model silently does not learn: the loss stays at ln C",
    versions="torch >= 2.0",
    needed=_zero_grad_sets_none,
    apply=_keep_gradients_tied,
)
