"""Which samples stay, at a ratio. One strategy, one file; each is a pure function of arrays."""

from fastreid_prune.selection.easy_first import easy_first
from fastreid_prune.selection.pool import Pool
from fastreid_prune.selection.proportional import proportional
from fastreid_prune.selection.ranking import hardest_first, identities_lost, pruned_count, select
from fastreid_prune.selection.redundancy import redundancy_aware
from fastreid_prune.selection.regime import Regime
from fastreid_prune.selection.strategies import STRATEGIES, Choice, choose, strategy_and_score
from fastreid_prune.selection.stratified import stratified

__all__ = [
    "STRATEGIES",
    "Choice",
    "Pool",
    "Regime",
    "choose",
    "easy_first",
    "hardest_first",
    "identities_lost",
    "proportional",
    "pruned_count",
    "redundancy_aware",
    "select",
    "strategy_and_score",
    "stratified",
]
