"""CUHK03's single-gallery-shot rule: one random image of each identity is the gallery, many times over.

Li et al., DeepReID, CVPR 2014; as in fastreid's ``evaluate_rank(..., use_metric_cuhk03=True)``, with a seed.
"""

import numpy as np

from fastreid_prune.evaluation.distances import Distances
from fastreid_prune.evaluation.matches import Matches

DRAWS = 10
BLOCK_VALUES = 1 << 22


def single_shot_ranks(distances: Distances, matches: Matches, queries: np.ndarray, seed: int) -> np.ndarray:
    """[V, 10] rank of the one right image among one image of each identity, for queries [V] that have one.

    A wrong image as close as the right one is ahead of it. The query's own identity is drawn from its right
    images; the draws of a query depend on the seed and the query's number alone.
    """
    num_gallery = len(matches.gallery_cam)
    step = max(1, BLOCK_VALUES // num_gallery)
    ranks = np.empty((len(queries), DRAWS), dtype=np.int64)
    start, count = matches.identity_groups()
    part = slice(0, 0)
    for place, query in enumerate(queries.tolist()):
        if query >= part.stop:
            part = slice(query, query + step)
            rows = distances.of(part).tile(slice(0, num_gallery))
            entries = matches.entries(part)
        random = np.random.default_rng([seed, query])
        drawn = matches.by_id[start + (random.random((DRAWS, len(start))) * count).astype(np.int64)]
        distance = rows[query - part.start][drawn]
        distance[:, start == matches.first[query]] = np.inf
        mine = entries.of(slice(query - part.start, query - part.start + 1))
        right = entries.row[mine][entries.right[mine]]
        chosen = rows[query - part.start][random.choice(right, DRAWS)]
        ranks[place] = 1 + (distance <= chosen[:, None]).sum(axis=1)
    return ranks
