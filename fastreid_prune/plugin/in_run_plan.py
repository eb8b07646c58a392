"""When a training prunes itself, and by what."""

import math
from dataclasses import dataclass

from yacs.config import CfgNode

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.selection.dynamic import DYNAMIC, DynamicMethod

# Fewer epochs tell little of which samples are hard, and nothing of which labels are wrong: for that as many as a
# scoring run has; ours.
LEAST_SCORED, LEAST_JUDGED = 5, 12


@dataclass(frozen=True)
class InRunPlan:
    """Which epochs train on what; epochs count from 0.

    Attributes:
        epochs: of the training.
        start: the first epoch that may be trained on less than everything.
        every: choose again every so many epochs; 0: once.
        on_all: how many epochs at the end train on everything (that is not judged wrong).
        dynamic: the method that chooses before every epoch; None for a score or strategy, which chooses from the files
            of the scored run.
    """

    epochs: int
    start: int
    every: int
    on_all: int
    dynamic: DynamicMethod | None

    @classmethod
    def of(cls, cfg: CfgNode) -> "InRunPlan | None":
        """The plan of a configuration; None if nothing is pruned in the run.

        Raises:
            FastreidPruneError: it makes no sense; with the key, the value and what to do.
        """
        keys, epochs = cfg.PRUNE.IN_RUN, cfg.SOLVER.MAX_EPOCH
        if not keys.ENABLED:
            return None
        dynamic = DYNAMIC.get(cfg.PRUNE.METHOD)
        least = LEAST_JUDGED if cfg.PRUNE.PURIFY.ENABLED else LEAST_SCORED
        usual = 0 if dynamic else max(least, math.ceil(epochs / 10))
        on_all = keys.LAST_EPOCHS_ON_ALL
        if on_all < 0:
            on_all = math.ceil(dynamic.on_all * epochs) if dynamic else 0
        plan = cls(epochs, keys.START or usual, 1 if dynamic else keys.EVERY, on_all, dynamic)
        plan._check(cfg)
        return plan

    @property
    def scored(self) -> int:
        """How many epochs are captured: up to the only choice, or all where there are several."""
        return self.epochs if self.every else self.start

    def chooses(self, epoch: int) -> bool:
        """Whether a choice is made before this epoch.

        >>> plan = InRunPlan(epochs=20, start=5, every=5, on_all=4, dynamic=None)
        >>> [epoch for epoch in range(20) if plan.chooses(epoch)], plan.returns(16)
        ([5, 10, 15], True)
        """
        if not self.start <= epoch < self.epochs - self.on_all:
            return False
        return epoch == self.start or (self.every > 0 and (epoch - self.start) % self.every == 0)

    def returns(self, epoch: int) -> bool:
        """Whether from this epoch on everything is trained on again."""
        return self.on_all > 0 and epoch == self.epochs - self.on_all

    def _check(self, cfg: CfgNode) -> None:
        prune = cfg.PRUNE
        if prune.MANIFEST:
            raise FastreidPruneError(
                f"PRUNE.IN_RUN.ENABLED together with PRUNE.MANIFEST {prune.MANIFEST}: the run chooses for itself, or a "
                "manifest says what is trained on. Leave out one of them."
            )
        if prune.IN_RUN.START < 0 or prune.IN_RUN.EVERY < 0:
            raise FastreidPruneError(
                f"PRUNE.IN_RUN.START {prune.IN_RUN.START}, PRUNE.IN_RUN.EVERY {prune.IN_RUN.EVERY}: epochs, 0 or more."
            )
        if self.start + self.on_all >= self.epochs:
            raise FastreidPruneError(
                f"PRUNE.IN_RUN.START: {self.start} epochs on everything first and {self.on_all} at the end "
                f"(PRUNE.IN_RUN.LAST_EPOCHS_ON_ALL) leave none to prune in, of SOLVER.MAX_EPOCH {self.epochs}. Set "
                "them lower or train for longer."
            )
        purifies = prune.PURIFY.ENABLED or prune.PURIFY.CALIBRATE
        if not 0 < prune.RATIO < 1 and not (prune.RATIO == 0 and prune.PURIFY.ENABLED and not self.dynamic):
            raise FastreidPruneError(
                f"PRUNE.RATIO: {prune.RATIO} found, a fraction in (0, 1) expected: how much PRUNE.IN_RUN prunes."
            )
        if self.every and purifies:
            raise FastreidPruneError(
                "PRUNE.PURIFY in a run that chooses several times "
                f"({'PRUNE.METHOD ' + prune.METHOD if self.dynamic else 'PRUNE.IN_RUN.EVERY'}): labels that were "
                "corrected would be judged again by what was recorded under the old ones. Set PRUNE.PURIFY.ENABLED and "
                "PRUNE.PURIFY.CALIBRATE False, or choose once (PRUNE.IN_RUN.EVERY 0)."
            )


def check_room(cfg: CfgNode, images: int) -> None:
    """Refuse a ratio that leaves less than a batch.

    Args:
        cfg: the configuration.
        images: of the training set.

    Raises:
        FastreidPruneError: with what is left and what a batch needs.
    """
    left = images - int(cfg.PRUNE.RATIO * images)
    if left < cfg.SOLVER.IMS_PER_BATCH:
        raise FastreidPruneError(
            f"PRUNE.RATIO: {cfg.PRUNE.RATIO:g} leaves {left} of {images} images, and a batch needs "
            f"SOLVER.IMS_PER_BATCH {cfg.SOLVER.IMS_PER_BATCH}. Prune less, or choose a smaller batch."
        )
