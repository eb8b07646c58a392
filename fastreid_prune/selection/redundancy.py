"""The near-duplicates in a pool, in the order in which they can go."""

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.selection.collapse import Collapse, collapse
from fastreid_prune.selection.pool import Pool
from fastreid_prune.selection.ranking import hardest_first


def collapse_pool(pool: Pool) -> Collapse:
    """The order in which near-duplicates go.

    Raises:
        FastreidPruneError: the run kept no features.
    """
    if pool.features is None:
        raise FastreidPruneError(
            "features.npy: near-duplicates are seen in the features, and this run has none. Score again with features, "
            "or choose a method that needs none (stratified, proportional, easy_first, or a score)."
        )
    scores = np.asarray(pool.scores, np.float64)
    return collapse(pool.features, pool.labels, scores, pool.candidates, np.asarray(pool.file_names))


def collapsed_first(pool: Pool, collapsed: Collapse) -> np.ndarray:
    """Rows of the candidates, the first to go first: as they collapse, then the rest, the easiest first."""
    named = np.zeros(len(pool), bool)
    named[collapsed.rows] = True
    easiest = hardest_first(pool.scores, pool.file_names)[::-1]
    return np.concatenate([collapsed.rows, easiest[~named[easiest] & pool.candidates[easiest]]])
