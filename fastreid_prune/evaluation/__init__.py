"""Ranking metrics for re-identification: exact, in blocks, without a compiler."""

from fastreid_prune.evaluation.archive import evaluate_archive, load_retrieval
from fastreid_prune.evaluation.expansion import expand
from fastreid_prune.evaluation.ranking import Ranking, evaluate_ranking
from fastreid_prune.evaluation.rerank import Reranking
from fastreid_prune.evaluation.roc import evaluate_roc
from fastreid_prune.evaluation.search import nearest

__all__ = [
    "Ranking",
    "Reranking",
    "evaluate_archive",
    "evaluate_ranking",
    "evaluate_roc",
    "expand",
    "load_retrieval",
    "nearest",
]
