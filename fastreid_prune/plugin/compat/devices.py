"""Training on CPU: DistributedDataParallel and mixed precision."""

import functools
import logging
from typing import Any

from fastreid_prune.plugin.compat.patch import Patch, always
from fastreid_prune.plugin.compat.rebind import rebind

logger = logging.getLogger("fastreid.prune")


def _on_cpu(model: Any) -> bool:
    return all(parameter.device.type == "cpu" for parameter in model.parameters())


def _allow_ddp_on_cpu() -> None:
    from torch.nn.parallel import DistributedDataParallel

    original = DistributedDataParallel.__init__

    @functools.wraps(original)
    def __init__(self: Any, module: Any, device_ids: Any = None, *args: Any, **kwargs: Any) -> None:
        original(self, module, None if _on_cpu(module) else device_ids, *args, **kwargs)

    setattr(DistributedDataParallel, "__init__", __init__)  # noqa: B010


def _full_precision_on_cpu() -> None:
    from fastreid.engine import train_loop

    original: Any = train_loop.AMPTrainer

    class AMPTrainer(original):
        """fastreid's mixed-precision trainer on CUDA; its plain one for a model on CPU."""

        def __new__(
            cls, model: Any, data_loader: Any, optimizer: Any, param_wrapper: Any, *args: Any, **kwargs: Any
        ) -> Any:
            if not _on_cpu(model):
                return super().__new__(cls)
            logger.warning("SOLVER.AMP.ENABLED needs CUDA: training on CPU in full precision.")
            # Not an instance of this class, so Python does not call __init__ on it again.
            return train_loop.SimpleTrainer(model, data_loader, optimizer, param_wrapper)

    AMPTrainer.__name__ = AMPTrainer.__qualname__ = original.__name__
    rebind(original, AMPTrainer)


PATCHES = (
    Patch(
        name="ddp-cpu",
        breaks="DistributedDataParallel refuses the `device_ids` that fastreid gives it for a model on CPU",
        versions="all",
        needed=always,
        apply=_allow_ddp_on_cpu,
    ),
    Patch(
        name="amp-cpu",
        breaks="SOLVER.AMP.ENABLED (fastreid's own recipes) stops with an AssertionError on CPU",
        versions="all",
        needed=always,
        apply=_full_precision_on_cpu,
    ),
)
