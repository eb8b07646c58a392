"""Which samples stay, at a ratio. One strategy, one file; each is a pure function of arrays."""

from fastreid_prune.selection.ranking import hardest_first, identities_lost, pruned_count, select

__all__ = ["hardest_first", "identities_lost", "pruned_count", "select"]
