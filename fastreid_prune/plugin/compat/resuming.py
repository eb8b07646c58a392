"""`--resume` of a run that had ended."""

import functools
from typing import Any

from fastreid_prune.plugin.compat.patch import Patch, always


def _resume_a_finished_run() -> None:
    from fastreid.engine.defaults import DefaultTrainer

    original = DefaultTrainer.train

    @functools.wraps(original)
    def train(self: Any) -> Any:
        if self.start_epoch >= self.max_epoch:
            # No epoch will run, but the hooks that follow the last one ask which it was, and train() asks for results.
            self.epoch = self.max_epoch - 1
            self._last_eval_results = self.test(self.cfg, self.model)
        return original(self)

    DefaultTrainer.train = train


def _keep_scale_of_gradients() -> None:
    from fastreid.engine.defaults import DefaultTrainer

    original = DefaultTrainer.resume_or_load

    @functools.wraps(original)
    def resume_or_load(self: Any, resume: bool = True) -> None:
        if self.grad_scaler is not None:
            self.checkpointer.checkpointables.setdefault("grad_scaler", self.grad_scaler)
        original(self, resume)

    DefaultTrainer.resume_or_load = resume_or_load


PATCHES = (
    Patch(
        name="resume-finished",
        breaks="`--resume` of a finished run stops with an AttributeError instead of its results",
        versions="all",
        needed=always,
        apply=_resume_a_finished_run,
    ),
    Patch(
        name="resume-scaler",
        breaks="with SOLVER.AMP.ENABLED `--resume` starts from another scale of the gradients than the run had",
        versions="all",
        needed=always,
        apply=_keep_scale_of_gradients,
    ),
)
