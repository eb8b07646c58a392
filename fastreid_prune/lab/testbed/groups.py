"""Errors that come in groups, as trackers and linking make them: pure functions of arrays.

A tracklet under another identity (tracker drift, a wrong link), one person under two numbers (a link missed), two
persons under one number (a link too many).
"""

from collections.abc import Sequence

import numpy as np


def move_tracklets(
    labels: np.ndarray, cameras: np.ndarray, free: np.ndarray, share: float, rng: np.random.Generator
) -> np.ndarray:
    """Labels [N] int64 with whole tracklets under other identities.

    A tracklet is all of a person in a camera. Each goes to any other identity with equal probability; at most half
    of an identity's samples go. Where that leaves too few, fewer are moved than asked for.

    Args:
        labels: [N] int.
        cameras: [N] int.
        free: [N] bool, the samples that may be changed; a tracklet with another in it stays.
        share: of the N samples, 0..1.
        rng: the source of chance.

    >>> labels, cameras = np.array([1, 1, 1, 1, 2, 2]), np.array([1, 1, 2, 2, 1, 1])
    >>> moved = move_tracklets(labels, cameras, np.ones(6, bool), 0.4, np.random.default_rng(0))
    >>> int((moved != labels).sum())
    2
    """
    result = np.array(labels, np.int64)
    classes = np.unique(labels)
    if len(classes) < 2:
        return result
    pairs, tracklet = np.unique(np.c_[labels, cameras], axis=0, return_inverse=True)
    tracklet = tracklet.reshape(-1)
    size = np.bincount(tracklet)
    left = round(len(labels) * share)
    most = {label: int((labels == label).sum()) // 2 for label in classes}
    for number in rng.permutation(len(pairs)):
        rows, label = tracklet == number, pairs[number][0]
        if size[number] > min(left, most[label]) or not free[rows].all():
            continue
        result[rows] = rng.choice(classes[classes != label])
        left -= size[number]
        most[label] -= size[number]
    return result


def split_identities(
    labels: np.ndarray, cameras: np.ndarray, new: Sequence[int], rng: np.random.Generator
) -> np.ndarray:
    """Labels [N] int64 with some identities under two numbers: some of their cameras under a new one.

    Identities of one camera cannot be told from two by a link missed, and stay. Where too few are left, fewer are
    split than there are new numbers.

    Args:
        labels: [N] int.
        cameras: [N] int.
        new: the new numbers, one an identity that is split.
        rng: the source of chance.
    """
    result = np.array(labels, np.int64)
    numbers = iter(new)
    for label in rng.permutation(np.unique(labels)):
        rows = labels == label
        seen = np.unique(cameras[rows])
        if len(seen) < 2:
            continue
        number = next(numbers, None)
        if number is None:
            break
        some = rng.permutation(seen)[: rng.integers(1, len(seen) // 2 + 1)]
        result[rows & np.isin(cameras, some)] = number
    return result


def merge_identities(labels: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Labels [N] int64 with ``count`` identities under the number of another; no identity takes part twice.

    Args:
        labels: [N] int.
        count: how many numbers vanish; at most half of all.
        rng: the source of chance.

    >>> np.unique(merge_identities(np.arange(6), 2, np.random.default_rng(0))).size
    4
    """
    result = np.array(labels, np.int64)
    classes = rng.permutation(np.unique(labels))
    for gone, into in classes[: 2 * min(count, len(classes) // 2)].reshape(-1, 2):
        result[labels == gone] = into
    return result
