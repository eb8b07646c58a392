"""Dynamic pruning: each epoch trains on a choice of its own. One method, one file; pure functions of arrays."""

from fastreid_prune.selection.dynamic.infobatch import infobatch
from fastreid_prune.selection.dynamic.registry import DYNAMIC, DynamicMethod, EpochChoice
from fastreid_prune.selection.dynamic.rs2 import rs2

__all__ = ["DYNAMIC", "DynamicMethod", "EpochChoice", "infobatch", "rs2"]
