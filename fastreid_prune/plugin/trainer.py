"""What the plug-in adds to fastreid's trainer."""

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from fastreid.engine.defaults import DefaultTrainer
from fastreid.engine.hooks import EvalHook, PeriodicCheckpointer
from fastreid.engine.train_loop import HookBase
from yacs.config import CfgNode

from fastreid_prune.plugin.capture import CaptureHook
from fastreid_prune.plugin.checks import check_classes, check_machine, check_schedule
from fastreid_prune.plugin.config import check_prune_config
from fastreid_prune.plugin.in_run import InRunPruning
from fastreid_prune.plugin.in_run_plan import InRunPlan, check_room
from fastreid_prune.plugin.memory import keep_freed_memory
from fastreid_prune.plugin.progress import ProgressFile
from fastreid_prune.plugin.run_record import RunRecord
from fastreid_prune.plugin.seeding import seed_everything
from fastreid_prune.plugin.seeding_hook import SeedingHook
from fastreid_prune.plugin.test_sets import check_test_sets

logger = logging.getLogger("fastreid.prune")


def before_building(cfg: CfgNode) -> CfgNode:
    """Before the trainer builds anything: check the configuration, seed the initial weights.

    Returns:
        The configuration to build by: a run that prunes itself is captured, whether it says so or not.

    Raises:
        FastreidPruneError: something that would stop the run later.
    """
    check_prune_config(cfg)
    if cfg.PRUNE.IN_RUN.ENABLED and not cfg.PRUNE.CAPTURE.ENABLED:
        cfg = cfg.clone()
        cfg.defrost()
        cfg.PRUNE.CAPTURE.ENABLED = True
        cfg.freeze()
    check_machine(cfg)
    if cfg.MODEL.DEVICE == "cpu":
        keep_freed_memory()
    if cfg.PRUNE.SEED >= 0:
        seed_everything(cfg.PRUNE.SEED)
    return cfg


@contextlib.contextmanager
def loaders_beside_training(trainer: Any) -> Iterator[None]:
    """Inside the block the trainer builds train loaders that feed no training: precise BN's, for its hooks."""
    build, training = trainer.build_train_loader, tuple(trainer.cfg.DATASETS.NAMES)
    trainer.build_train_loader = lambda cfg: build(_beside_training(cfg, training))
    try:
        yield
    finally:
        del trainer.build_train_loader


def _beside_training(cfg: CfgNode, training: tuple[str, ...]) -> CfgNode:
    """The configuration of a loader beside the training: as it is, without what belongs to the training alone."""
    cfg = cfg.clone()
    cfg.defrost()
    cfg.PRUNE.CAPTURE.ENABLED, cfg.PRUNE.IN_RUN.ENABLED, cfg.PRUNE.SEED = False, False, -1
    if tuple(cfg.DATASETS.NAMES) != training:
        cfg.PRUNE.MANIFEST = ""
    return cfg


def attach(trainer: Any) -> None:
    """Give the trainer the plug-in's hooks, once, before its checkpointer and its writers."""
    prune = trainer.cfg.PRUNE
    if _is_attached(trainer) or not (prune.CAPTURE.ENABLED or prune.MANIFEST or prune.SEED >= 0):
        return
    check_classes(trainer.cfg, trainer.data_loader.dataset.num_classes)
    check_schedule(trainer.cfg, trainer.iters_per_epoch)
    hooks: list[HookBase] = []
    if prune.SEED >= 0:
        hooks.append(SeedingHook(prune.SEED))
    if prune.CAPTURE.ENABLED:
        plan = InRunPlan.of(trainer.cfg)
        epochs = plan.scored if plan else trainer.max_epoch
        capture = CaptureHook(trainer.cfg, trainer.model, trainer.data_loader, epochs)
        trainer.checkpointer.checkpointables["prune_capture"] = capture.state
        hooks.append(capture)
        if plan:
            check_room(trainer.cfg, len(trainer.data_loader.dataset))
            in_run = InRunPruning(trainer, plan, capture)
            trainer.checkpointer.checkpointables["prune_in_run"] = in_run
            hooks.append(in_run)
    before = len(trainer._hooks)
    trainer.register_hooks(hooks)
    added = trainer._hooks[before:]
    del trainer._hooks[before:]
    first = next(
        (i for i, hook in enumerate(trainer._hooks) if isinstance(hook, (EvalHook, PeriodicCheckpointer))),
        len(trainer._hooks),
    )
    trainer._hooks[first:first] = added
    trainer.register_hooks(ProgressFile.asked_for())
    # The record comes last: it holds what the last evaluation found.
    trainer.register_hooks([RunRecord(trainer.cfg, trainer.iters_per_epoch)])


def in_run_pruning(trainer: Any) -> InRunPruning | None:
    """The hook of a training that prunes itself; None for any other."""
    return next((hook for hook in trainer._hooks if isinstance(hook, InRunPruning)), None)


def _is_attached(trainer: Any) -> bool:
    return any(isinstance(hook, RunRecord) for hook in trainer._hooks)


def before_training(trainer: Any) -> None:
    """What may stop a run at its start: said before fastreid's loop, whose closing hooks would hide it.

    Raises:
        FastreidPruneError: as for :func:`.test_sets.check_test_sets` and :meth:`.capture.CaptureHook.prepare`.
    """
    if _is_attached(trainer) and _evaluates_as_fastreid(trainer):
        check_test_sets(trainer.cfg)
    for hook in trainer._hooks:
        if isinstance(hook, CaptureHook):
            hook.prepare()


def _evaluates_as_fastreid(trainer: Any) -> bool:
    """Whether ``DATASETS.TESTS`` are names for fastreid's readers, and no trainer's own business."""
    names = ("test", "build_evaluator", "build_test_loader")
    return all(
        getattr(type(trainer), name).__func__ is getattr(DefaultTrainer, name).__func__ for name in names
    )
