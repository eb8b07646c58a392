"""Counting the wrong gallery rows ahead of each right one, block by block, without sorting the gallery."""

import numpy as np

from fastreid_prune.evaluation.matches import Matches
from fastreid_prune.evaluation.similarity import Similarity

QUERIES, GALLERY = 256, 4096


def count_ahead(similarity: Similarity, matches: Matches) -> tuple[np.ndarray, np.ndarray]:
    """For each entry of ``matches``: its similarity, and how many wrong rows are at least as similar.

    Wrong rows are those of other identities, ignored ones left out. A wrong row that ties with a right one
    counts as ahead of it, so that the result does not depend on the order of the gallery, and a model that
    gives the same feature to everything gets the score it deserves.

    Returns:
        similarity [E] float64, and ahead [E] int64.
    """
    score = np.empty(len(matches.row))
    ahead = np.zeros(len(matches.row), dtype=np.int64)
    num_queries, num_gallery = len(similarity.query), len(similarity.gallery)
    for first in range(0, num_queries, QUERIES):
        last = min(first + QUERIES, num_queries)
        queries = similarity.query_grid(slice(first, last))
        block = np.concatenate(
            [
                similarity.exact(queries, similarity.gallery_grid(slice(start, start + GALLERY)))
                for start in range(0, num_gallery, GALLERY)
            ],
            axis=1,
        )
        entries = slice(matches.start[first], matches.start[last])
        local = matches.query[entries] - first, matches.row[entries]
        score[entries] = block[local]
        block[local] = -np.inf
        block[:, matches.ignored] = -np.inf
        block.sort(axis=1)
        for query in range(first, last):
            mine = slice(matches.start[query], matches.start[query + 1])
            ahead[mine] = num_gallery - np.searchsorted(block[query - first], score[mine], side="left")
    return score, ahead
