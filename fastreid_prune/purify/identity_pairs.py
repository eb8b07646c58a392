"""Which of very many identities are each other's most similar one, without comparing all with all.

The similarities to compare are those of each identity's nearest ones. What it has with all others, mean and deviation,
needs no pairs: it follows from the sum of the prototypes and the sum of their outer products.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from fastreid_prune.purify.neighbours import nearest

_NEAREST = 20
# how often a camera that saw a person knows both of their numbers, since a track is broken besides the link that was
# missed: of four cameras none does three times in four (ours)
_BOTH = 0.07
# standard scores a nat: what the tail of a normal distribution loses about 4 deviations out
_SCORE_OF_NAT = 0.25


@dataclass(frozen=True)
class Mutual:
    """Pairs of identities that are each other's first, [n] each.

    Attributes:
        one, other: int64, rows; the first is the lower one.
        score: mean of both standard scores, and what their cameras say.
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


def mutual_pairs(prototypes: np.ndarray, seen: np.ndarray) -> Mutual:
    """The pairs among P identities.

    Args:
        prototypes: [P, D] float32 of length 1; at least 4 of them.
        seen: [P, cameras] float32, 1 where a camera saw the identity.
    """
    count = len(prototypes)
    found = nearest(prototypes, np.ones(count, bool), min(_NEAREST, count - 1), np.arange(count))
    index, similarity = found.index, found.similarity.astype(float)
    mean, deviation = _with_all_others(prototypes)
    shared = np.stack([(seen * seen[column]).sum(1) for column in np.maximum(index, 0).T], 1)
    score = (similarity - mean[:, None]) / deviation[:, None] + (similarity - mean[index]) / deviation[index]
    number = np.rint(seen.sum(1)).astype(int)
    by_cameras = camera_score(
        number[:, None], number[index], np.rint(shared).astype(int), number, seen.shape[1]
    )
    score = np.where(index >= 0, score / 2 + by_cameras, -np.inf)
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


def camera_score(
    one: np.ndarray, other: np.ndarray, shared: np.ndarray, number: np.ndarray, cameras: int
) -> np.ndarray:
    """What the cameras of two identities say of whether they are one person, in standard scores.

    Each camera that saw one person knows both numbers with probability :data:`_BOTH`, else either; the cameras of two
    persons are drawn independently. How many cameras see a person is taken from the identities.

    Args:
        one, other: any shape, how many cameras saw each.
        shared: how many saw both.
        number: [P] int, how many saw each of all identities.
        cameras: of the data set.

    >>> camera_score(np.array([2, 4]), np.array([2, 4]), np.array([0, 4]), np.array([2, 2, 4, 4, 4, 4]), 4).round(1)
    array([ 0.6, -2.5])
    """
    if cameras < 2:
        return np.zeros(np.shape(shared))
    chance = np.log((np.bincount(number, minlength=cameras + 1) + 1) / (len(number) + cameras + 1))
    union = one + other - shared

    def ways(many: np.ndarray | int, few: np.ndarray) -> np.ndarray:
        return gammaln(many + 1) - gammaln(few + 1) - gammaln(many - few + 1)

    same = chance[union] + ways(union, shared) + ways(union - shared, one - shared)
    same = same + shared * np.log(_BOTH) + (union - shared) * np.log((1 - _BOTH) / 2)
    apart = chance[one] + chance[other] + ways(one, shared) + ways(cameras - one, other - shared)
    return _SCORE_OF_NAT * (same - apart + ways(cameras, other))
