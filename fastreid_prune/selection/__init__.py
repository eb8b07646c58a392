"""Which samples stay, at a ratio. One strategy, one file; each is a pure function of arrays.

A new strategy is a new file here with a function under the decorator :func:`.registry.strategy`.
"""

import importlib
import pkgutil

from fastreid_prune.selection.easy_first import easy_first
from fastreid_prune.selection.pool import Pool
from fastreid_prune.selection.proportional import proportional
from fastreid_prune.selection.ranking import hardest_first, identities_lost, pruned_count, select
from fastreid_prune.selection.redundancy_aware import redundancy_aware
from fastreid_prune.selection.regime import Regime
from fastreid_prune.selection.registry import STRATEGIES, Strategy, strategy
from fastreid_prune.selection.strategies import Choice, choose, strategy_and_score
from fastreid_prune.selection.stratified import stratified

__all__ = [
    "STRATEGIES",
    "Choice",
    "Pool",
    "Regime",
    "Strategy",
    "choose",
    "easy_first",
    "hardest_first",
    "identities_lost",
    "proportional",
    "pruned_count",
    "redundancy_aware",
    "select",
    "strategy",
    "strategy_and_score",
    "stratified",
]

for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")
