"""Ranking metrics for re-identification: exact, in blocks, without a compiler."""

from fastreid_prune.evaluation.expansion import expand
from fastreid_prune.evaluation.ranking import Ranking, evaluate_ranking
from fastreid_prune.evaluation.search import nearest

__all__ = ["Ranking", "evaluate_ranking", "expand", "nearest"]
