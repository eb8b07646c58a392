"""The places where the plug-in enters fastreid: its configuration, data loaders, models and trainer.

Without a ``PRUNE`` key in the configuration, each of them does what fastreid does.
"""

import functools
from typing import Any

from fastreid_prune.plugin.compat.patch import Patch, always
from fastreid_prune.plugin.compat.rebind import rebind
from fastreid_prune.plugin.loading import loading_for


def _extend_config() -> None:
    from fastreid.config import defaults

    from fastreid_prune.plugin.config import add_prune_config

    add_prune_config(defaults._C)


def _extend_loaders() -> None:
    from fastreid.data import build

    from fastreid_prune.plugin.data import build_test_loader, build_train_loader

    original_train, original_test = build.build_reid_train_loader, build.build_reid_test_loader

    @functools.wraps(original_train)
    def build_reid_train_loader(*args: Any, **kwargs: Any) -> Any:
        return _with_config(build_train_loader, original_train, args, kwargs)

    @functools.wraps(original_test)
    def build_reid_test_loader(*args: Any, **kwargs: Any) -> Any:
        return _with_config(build_test_loader, original_test, args, kwargs)

    rebind(original_train, build_reid_train_loader)
    rebind(original_test, build_reid_test_loader)


def _with_config(extended: Any, original: Any, args: Any, kwargs: Any) -> Any:
    """Call ``extended`` where the first argument is a configuration, else the original as it is."""
    from fastreid.config import CfgNode

    if not (args and isinstance(args[0], CfgNode)):
        return original(*args, **kwargs)
    with loading_for(args[0].MODEL.DEVICE):
        return extended(original, *args, **kwargs)


def _extend_models() -> None:
    import torch
    from fastreid.modeling.meta_arch import build

    original = build.build_model

    @functools.wraps(original)
    def build_model(cfg: Any) -> Any:
        model = original(cfg)
        if "PRUNE" in cfg and cfg.PRUNE.CHANNELS_LAST:
            # of the images only: fastreid lays all parameters into one flat buffer
            model.backbone.register_forward_pre_hook(
                lambda _, inputs: (inputs[0].contiguous(memory_format=torch.channels_last), *inputs[1:])
            )
        return model

    rebind(original, build_model)


def _extend_trainer() -> None:
    from fastreid.engine.defaults import DefaultTrainer
    from fastreid.engine.train_loop import TrainerBase
    from fastreid.utils import comm

    from fastreid_prune.plugin import epoch_loop, trainer
    from fastreid_prune.plugin.output_lock import lock_output

    original_init = DefaultTrainer.__init__
    original_hooks = DefaultTrainer.build_hooks
    original_resume = DefaultTrainer.resume_or_load
    original_train = DefaultTrainer.train

    @functools.wraps(original_init)
    def __init__(self: Any, cfg: Any) -> None:
        cfg = trainer.before_building(cfg)
        self._output_lock = lock_output(cfg.OUTPUT_DIR) if comm.is_main_process() else None
        original_init(self, cfg)

    @functools.wraps(original_hooks)
    def build_hooks(self: Any) -> Any:
        with trainer.loaders_beside_training(self):
            return original_hooks(self)

    @functools.wraps(original_resume)
    def resume_or_load(self: Any, resume: Any = True) -> None:
        trainer.attach(self)
        original_resume(self, resume)

    @functools.wraps(original_train)
    def train(self: Any) -> Any:
        trainer.attach(self)
        trainer.before_training(self)
        return original_train(self)

    original_loop = TrainerBase.train

    @functools.wraps(original_loop)
    def loop(self: Any, start_epoch: Any, max_epoch: Any, iters_per_epoch: Any) -> Any:
        pruning = trainer.in_run_pruning(self)
        if pruning is None:
            return original_loop(self, start_epoch, max_epoch, iters_per_epoch)
        return epoch_loop.train(self, start_epoch, max_epoch, sum(pruning.iterations))

    TrainerBase.train = loop
    DefaultTrainer.__init__ = __init__
    DefaultTrainer.build_hooks = build_hooks
    DefaultTrainer.resume_or_load = resume_or_load
    DefaultTrainer.train = train


PATCHES = (
    Patch(
        name="config",
        breaks="a configuration with PRUNE keys is refused",
        versions="all",
        needed=always,
        apply=_extend_config,
    ),
    Patch(
        name="loaders",
        breaks="no manifest is trained on, no sample is known to the capture, seeds do not reach the samplers",
        versions="all",
        needed=always,
        apply=_extend_loaders,
    ),
    Patch(
        name="models",
        breaks="PRUNE.CHANNELS_LAST does nothing",
        versions="all",
        needed=always,
        apply=_extend_models,
    ),
    Patch(
        name="trainer",
        breaks="nothing is captured",
        versions="all",
        needed=always,
        apply=_extend_trainer,
    ),
)
