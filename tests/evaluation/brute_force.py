"""A reference that follows the definitions one query and one match at a time, in Python's whole numbers."""

from types import SimpleNamespace

import numpy as np


def similarities(query, gallery, metric):
    """[Q][G] exact integers, higher = closer."""
    query, gallery = np.asarray(query, dtype=np.float64), np.asarray(gallery, dtype=np.float64)
    if metric == "cosine":
        unit = [
            [
                [round(float(v) / float(np.sqrt((row**2).sum())) * 2**26) if row.any() else 0 for v in row]
                for row in rows
            ]
            for rows in (query, gallery)
        ]
        return [[sum(a * b for a, b in zip(q, g, strict=True)) for g in unit[1]] for q in unit[0]]
    sizes = np.sqrt((np.concatenate([query, gallery]) ** 2).sum(axis=1))
    typical = min(4 * np.median(sizes), sizes.max()) or sizes.max() or 1.0
    step = 2.0 ** (int(np.ceil(np.log2(typical))) - 25)
    grid = [[[round(float(v) / step) for v in row] for row in rows] for rows in (query, gallery)]
    return [[-sum((a - b) ** 2 for a, b in zip(q, g, strict=True)) for g in grid[1]] for q in grid[0]]


def brute_force(query, gallery, query_ids, gallery_ids, query_cams, gallery_cams, metric="cosine"):
    """Average precisions, first ranks and mINP, with a wrong row ahead of a right one that it ties with."""
    precisions, trapezoids, penalties, first_ranks, evaluated = [], [], [], [], []
    for index, row in enumerate(similarities(query, gallery, metric)):
        kept = [
            (-score, gallery_ids[g] == query_ids[index])
            for g, score in enumerate(row)
            if str(gallery_ids[g]) != "-1"
            and not (gallery_ids[g] == query_ids[index] and gallery_cams[g] == query_cams[index])
        ]
        hits = [rank for rank, (_, right) in enumerate(sorted(kept), start=1) if right]
        if not hits:
            continue
        evaluated.append(index)
        precisions.append(sum((k + 1) / rank for k, rank in enumerate(hits)) / len(hits))
        trapezoids.append(
            sum(((k + 1) / rank + (k / (rank - 1) if rank > 1 else 1)) / 2 for k, rank in enumerate(hits))
            / len(hits)
        )
        penalties.append(len(hits) / hits[-1])
        first_ranks.append(hits[0])
    return SimpleNamespace(
        average_precisions=precisions,
        trapezoids=trapezoids,
        first_ranks=first_ranks,
        evaluated=evaluated,
        mAP=np.mean(precisions) if precisions else None,
        mINP=np.mean(penalties) if penalties else None,
        num_skipped=len(query_ids) - len(precisions),
    )
