"""Ranking metrics for re-identification: exact, in blocks, without a compiler."""

from fastreid_prune.evaluation.ranking import Ranking, evaluate_ranking

__all__ = ["Ranking", "evaluate_ranking"]
