"""Evaluation without Cython, and without ending the process."""

from fastreid_prune.plugin.compat.patch import Patch, always
from fastreid_prune.plugin.compat.rebind import rebind


def _evaluate_on_faiss() -> None:
    from fastreid.evaluation import reid_evaluation

    from fastreid_prune.plugin.evaluator import FaissEvaluator

    rebind(reid_evaluation.ReidEvaluator, FaissEvaluator)


PATCH = Patch(
    name="evaluator",
    breaks="the first evaluation compiles a Cython module; without Cython or a compiler the process exits, after the "
    "last epoch and before the last checkpoint",
    versions="all",
    needed=always,
    apply=_evaluate_on_faiss,
)
