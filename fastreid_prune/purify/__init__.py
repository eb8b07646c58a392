"""Judging labels: which are wrong, which images show no known identity, and how sure that is."""

from fastreid_prune.purify.claims import Claim
from fastreid_prune.purify.injection_plan import CalibrationPlan, plan_calibration
from fastreid_prune.purify.judge import Judgement, assess, judge
from fastreid_prune.purify.judge_run import JudgedRun, judge_run
from fastreid_prune.purify.metrics import Quality, quality
from fastreid_prune.purify.paper import paper_rule
from fastreid_prune.purify.registry import RULES, Rule, Ruling, rule
from fastreid_prune.purify.summary import Summary

__all__ = [
    "RULES",
    "CalibrationPlan",
    "Claim",
    "JudgedRun",
    "Judgement",
    "Quality",
    "Rule",
    "Ruling",
    "Summary",
    "assess",
    "judge",
    "judge_run",
    "paper_rule",
    "plan_calibration",
    "quality",
    "rule",
]
