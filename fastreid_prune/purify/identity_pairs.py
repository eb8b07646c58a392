"""Which of very many identities are each other's most similar one, without comparing all with all.

The similarities to compare are those of each identity's nearest ones. What it has with all others, mean and deviation,
needs no pairs: it follows from the sum of the prototypes and the sum of their outer products.
"""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.purify.neighbours import nearest

_NEAREST = 20
# sets of cameras that are compared one by one; of more, so many pairs are drawn
_MOST_PATTERNS, _DRAWN = 4096, 1_000_000


@dataclass(frozen=True)
class Mutual:
    """Pairs of identities that are each other's first, [n] each.

    Attributes:
        one, other: int64, rows; the first is the lower one.
        score: mean of both standard scores, and ``apart`` more where they share no camera.
        similarity: cosine.
        next_best: the highest cosine of either with any third.
        shared: cameras that saw both.
    """

    one: np.ndarray
    other: np.ndarray
    score: np.ndarray
    similarity: np.ndarray
    next_best: np.ndarray
    shared: np.ndarray


def mutual_pairs(prototypes: np.ndarray, seen: np.ndarray, nats: float) -> Mutual:
    """The pairs among P identities.

    Args:
        prototypes: [P, D] float32 of length 1; at least 4 of them.
        seen: [P, cameras] float32, 1 where a camera saw the identity.
        nats: standard scores that a nat of how rare it is to share no camera is worth.
    """
    count = len(prototypes)
    found = nearest(prototypes, np.ones(count, bool), min(_NEAREST, count - 1), np.arange(count))
    index, similarity = found.index, found.similarity.astype(float)
    mean, deviation = _with_all_others(prototypes)
    shared = np.stack([(seen * seen[column]).sum(1) for column in np.maximum(index, 0).T], 1)
    score = (similarity - mean[:, None]) / deviation[:, None] + (similarity - mean[index]) / deviation[index]
    bonus = -nats * np.log(max(share_apart(seen), 2 / (count * (count - 1))))
    score = np.where(index >= 0, score / 2 + np.where(shared == 0, bonus, 0.0), -np.inf)
    place = np.arange(count)
    first = score.argmax(1)
    best = index[place, first]
    one = np.flatnonzero((best[best] == place) & (place < best))
    other = best[one]
    # the nearest but for the other one
    third = np.where(index[:, 0] == best, similarity[:, min(1, similarity.shape[1] - 1)], similarity[:, 0])
    return Mutual(
        one, other, score[one, first[one]], similarity[one, first[one]], np.maximum(third[one], third[other]),
        np.rint(shared[one, first[one]]).astype(int),
    )  # fmt: skip


def _with_all_others(prototypes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation [P] of each one's similarities to all others."""
    rows = prototypes.astype(np.float64)
    own, others = np.einsum("pd,pd->p", rows, rows), len(rows) - 1
    mean = (rows @ rows.sum(0) - own) / others
    square = (np.einsum("pd,pd->p", rows @ (rows.T @ rows), rows) - own**2) / others
    return mean, np.maximum(np.sqrt(np.maximum(square - mean**2, 0)), 1e-6)


def share_apart(seen: np.ndarray) -> float:
    """The share of all pairs of identities that no camera saw both of.

    Args:
        seen: [P, cameras] float32, 1 where a camera saw the identity.

    >>> round(share_apart(np.array([[1, 0], [0, 1], [0, 1]], np.float32)), 3)
    0.667
    """
    patterns, number = np.unique(seen, axis=0, return_counts=True)
    if len(patterns) <= _MOST_PATTERNS:
        apart = float(number @ ((patterns @ patterns.T) == 0) @ number)
        return apart / (len(seen) * (len(seen) - 1))
    rng = np.random.default_rng(0)
    one, step = rng.integers(len(seen), size=_DRAWN), rng.integers(1, len(seen), size=_DRAWN)
    other = (one + step) % len(seen)
    drawn = [
        (seen[one[part]] * seen[other[part]]).sum(1) == 0 for part in np.array_split(np.arange(_DRAWN), 100)
    ]
    return float(np.concatenate(drawn).mean())
