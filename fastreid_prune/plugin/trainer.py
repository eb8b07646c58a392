"""What the plug-in adds to fastreid's trainer."""

import contextlib
import logging
import math
import weakref
from collections.abc import Iterator

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin.config import check_prune_config
from fastreid_prune.plugin.memory import keep_freed_memory
from fastreid_prune.plugin.seeding import seed_everything

logger = logging.getLogger("fastreid.prune")

_attached: "weakref.WeakSet" = weakref.WeakSet()
_building_hooks = False
_training_names: tuple[str, ...] = ()


def before_building(cfg) -> None:
    """Before the trainer builds anything: check the configuration, seed the initial weights.

    Raises:
        FastreidPruneError: something that would stop the run later.
    """
    global _training_names
    _training_names = tuple(cfg.DATASETS.NAMES)
    check_prune_config(cfg)
    check_machine(cfg)
    if cfg.MODEL.DEVICE == "cpu":
        keep_freed_memory()
    if cfg.PRUNE.SEED >= 0:
        seed_everything(cfg.PRUNE.SEED)


def check_machine(cfg) -> None:
    """Refuse a device that is not there and pretrained weights that are not where they should be."""
    import os

    import torch

    if cfg.MODEL.DEVICE.startswith("cuda") and not torch.cuda.is_available():
        raise FastreidPruneError(
            "MODEL.DEVICE: 'cuda' found, but torch sees no CUDA device here. Add `MODEL.DEVICE cpu` to the command, or "
            "see `fastreid-prune doctor`."
        )
    backbone = cfg.MODEL.BACKBONE
    if backbone.PRETRAIN and backbone.PRETRAIN_PATH and not os.path.isfile(backbone.PRETRAIN_PATH):
        raise FastreidPruneError(
            f"MODEL.BACKBONE.PRETRAIN_PATH: no file {backbone.PRETRAIN_PATH!r}. Put the backbone's ImageNet weights "
            "there, or set MODEL.BACKBONE.PRETRAIN False to train from scratch."
        )


def check_classes(cfg, identities: int) -> None:
    """Refuse a head with fewer classes than the training set has, which ends in an index error or on the device."""
    if cfg.MODEL.HEADS.NUM_CLASSES < identities:
        raise FastreidPruneError(
            f"MODEL.HEADS.NUM_CLASSES: {cfg.MODEL.HEADS.NUM_CLASSES} found, but the training set has {identities} "
            "identities. Set it to 0, and they are counted."
        )


def check_schedule(cfg, iters_per_epoch: int) -> None:
    """Refuse a cosine that has no epoch left after the warm-up, which ends in a division by zero or turns upwards."""
    solver = cfg.SOLVER
    before = max(math.ceil(solver.WARMUP_ITERS / iters_per_epoch), solver.DELAY_EPOCHS)
    if solver.SCHED == "CosineAnnealingLR" and before >= solver.MAX_EPOCH:
        raise FastreidPruneError(
            f"SOLVER.WARMUP_ITERS: {solver.WARMUP_ITERS} found, an epoch is {iters_per_epoch} iterations, and with "
            f"SOLVER.DELAY_EPOCHS {solver.DELAY_EPOCHS} the learning rate falls only after {before} epochs, of "
            f"SOLVER.MAX_EPOCH {solver.MAX_EPOCH}. Set the first lower or the last higher."
        )


@contextlib.contextmanager
def building_hooks() -> Iterator[None]:
    """While the trainer builds its hooks; a train loader made now is precise BN's, not the run's."""
    global _building_hooks
    _building_hooks = True
    try:
        yield
    finally:
        _building_hooks = False


def is_building_hooks() -> bool:
    """Whether the trainer is building its hooks right now."""
    return _building_hooks


def training_names() -> tuple[str, ...]:
    """``DATASETS.NAMES`` of the trainer that was built last."""
    return _training_names


def attach(trainer) -> None:
    """Give the trainer the plug-in's hooks, once, before its checkpointer and its writers."""
    prune = trainer.cfg.PRUNE
    if trainer in _attached or not (prune.CAPTURE.ENABLED or prune.MANIFEST or prune.SEED >= 0):
        return
    _attached.add(trainer)
    check_classes(trainer.cfg, trainer.data_loader.dataset.num_classes)
    check_schedule(trainer.cfg, trainer.iters_per_epoch)
    from fastreid.engine.hooks import EvalHook, PeriodicCheckpointer

    from fastreid_prune.plugin.run_record import RunRecord
    from fastreid_prune.plugin.seeding_hook import SeedingHook

    hooks = []
    if prune.SEED >= 0:
        hooks.append(SeedingHook(prune.SEED))
    if prune.CAPTURE.ENABLED:
        from fastreid_prune.plugin.capture import CaptureHook

        capture = CaptureHook(trainer.cfg, trainer.model, trainer.data_loader)
        trainer.checkpointer.checkpointables["prune_capture"] = capture.state
        hooks.append(capture)
    before = len(trainer._hooks)
    trainer.register_hooks(hooks)
    own = trainer._hooks[before:]
    del trainer._hooks[before:]
    first = next(
        (i for i, hook in enumerate(trainer._hooks) if isinstance(hook, (EvalHook, PeriodicCheckpointer))),
        len(trainer._hooks),
    )
    trainer._hooks[first:first] = own
    # The record comes last: it holds what the last evaluation found.
    trainer.register_hooks([RunRecord(trainer.cfg)])


def before_training(trainer) -> None:
    """What may stop a scoring run at its start: said before fastreid's loop, whose closing hooks would hide it.

    Raises:
        FastreidPruneError: as for :meth:`.capture.CaptureHook.prepare`.
    """
    from fastreid_prune.plugin.capture import CaptureHook

    for hook in trainer._hooks:
        if isinstance(hook, CaptureHook):
            hook.prepare()
