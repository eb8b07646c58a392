"""Evaluation without Cython, without ending the process, and not before the weights are safe."""

import functools
from typing import Any

from fastreid_prune.plugin.compat.patch import Patch, always
from fastreid_prune.plugin.compat.rebind import rebind


def _evaluate_exactly() -> None:
    from fastreid.evaluation import reid_evaluation

    from fastreid_prune.plugin.evaluator import ExactEvaluator

    rebind(reid_evaluation.ReidEvaluator, ExactEvaluator)


def _save_before_evaluation() -> None:
    from fastreid.engine.hooks import EvalHook, PeriodicCheckpointer

    original = EvalHook.after_epoch

    @functools.wraps(original)
    def after_epoch(self: Any) -> None:
        epoch, last = self.trainer.epoch, self.trainer.max_epoch - 1
        is_evaluated = self._period > 0 and (epoch + 1) % self._period == 0
        for hook in self.trainer._hooks if is_evaluated else []:
            if isinstance(hook, PeriodicCheckpointer):
                if epoch >= last:
                    hook.checkpointer.save("model_final", epoch=epoch, metric=-1)
                elif (epoch + 1) % hook.period == 0:
                    hook.checkpointer.save(f"model_{epoch:04d}", epoch=epoch, metric=-1)
        original(self)

    EvalHook.after_epoch = after_epoch


def _train_without_test_sets() -> None:
    from fastreid.engine.hooks import EvalHook, PeriodicCheckpointer

    original_before, original_after = PeriodicCheckpointer.before_train, EvalHook.after_train

    @functools.wraps(original_before)
    def before_train(self: Any) -> None:
        if self.trainer.cfg.DATASETS.TESTS:
            original_before(self)
        else:
            self.max_epoch, self.metric_name = self.trainer.max_epoch, "metric"

    @functools.wraps(original_after)
    def after_train(self: Any) -> None:
        if self._period <= 0:
            # fastreid divides by it: what was meant is an evaluation at the end alone
            self._period = self.trainer.max_epoch + 1
        original_after(self)

    PeriodicCheckpointer.before_train, EvalHook.after_train = before_train, after_train


PATCHES = (
    Patch(
        name="evaluator",
        breaks="the first evaluation compiles a Cython module; without Cython or a compiler the process exits, after "
        "the last epoch and before the last checkpoint",
        versions="all",
        needed=always,
        apply=_evaluate_exactly,
    ),
    Patch(
        name="save-first",
        breaks="an evaluation that fails or is killed takes the epochs since the last checkpoint with it, the last too",
        versions="all",
        needed=always,
        apply=_save_before_evaluation,
    ),
    Patch(
        name="no-tests",
        breaks="DATASETS.TESTS () stops with an IndexError at the start, TEST.EVAL_PERIOD 0 with a ZeroDivisionError "
        "at the end",
        versions="all",
        needed=always,
        apply=_train_without_test_sets,
    ),
)
