"""Which identities are one person, and which hold more than one: candidates with what speaks for them.

Same identity: the similarity of two identities' prototypes, measured in the standard deviations of what each of
them has with all others, so that plain clothes that many wear do not count as much as what only the two share. A
link that was missed between cameras leaves no camera shared, and each camera that two identities share speaks against
them: it takes a broken track besides. More than one person: the clips of an identity in two parts by average linkage,
and by how much clips of one part are more alike than clips of both.
"""

from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from fastreid_prune.purify.candidate_classes import most_similar
from fastreid_prune.purify.discriminant import class_sums, unit
from fastreid_prune.purify.identity_pairs import camera_score, mutual_pairs

# up to so many pairs of identities all are compared (ours)
EXACT_PAIRS = 50_000_000

# a smaller part with fewer clips, or a smaller share of the images, may as well be wrong clips or hard images (ours)
LEAST_CLIPS, LEAST_SHARE = 2, 0.15
# a part is a known identity's where its prototype is this much more like it than like the other part (ours)
_NAMED_AHEAD = 0.05


@dataclass(frozen=True)
class IdentityPair:
    """Two identities that may be one person.

    Attributes:
        first, second: classes; the first has at least as many images.
        score: mean of the two standard scores of their similarity, and what their cameras say.
        similarity: cosine of their prototypes.
        next_best: the highest cosine of either with any third identity.
        shared_cameras: cameras that saw both.
    """

    first: int
    second: int
    score: float
    similarity: float
    next_best: float
    shared_cameras: int


@dataclass(frozen=True)
class IdentityParts:
    """An identity that may hold two persons.

    Attributes:
        label: its class.
        score: cosine within the parts minus cosine between them, averages over clips of all.
        between: cosine between clips of both parts.
        smaller: [n] int64, the rows of the images of the smaller part.
        known_as: the class that the smaller part is like; -1 where it is like none.
        decidable: both parts were seen by two cameras: what sets them apart need not be the camera.
    """

    label: int
    score: float
    between: float
    smaller: np.ndarray
    known_as: int
    decidable: bool


def prototypes(features: np.ndarray, label: np.ndarray, weight: np.ndarray, num_classes: int) -> np.ndarray:
    """[C, D] float32 of length 1; 0 where a class has no image that counts."""
    return unit(class_sums(features, label, weight, num_classes))


def same_identity(
    features: np.ndarray, label: np.ndarray, camera: np.ndarray, weight: np.ndarray, num_classes: int
) -> list[IdentityPair]:
    """Pairs of identities that are each other's most similar one, the most likely first.

    Args:
        features: [N, D] float32, without what a camera adds (:func:`.features.comparable`), of length 1.
        label: [N] int64.
        camera: [N] int64.
        weight: [N] float in [0, 1], how much each image counts.
        num_classes: C; at least 4.

    >>> same_identity(np.eye(3, dtype=np.float32), np.arange(3), np.zeros(3, int), np.ones(3), 3)
    []
    """
    count = np.bincount(label, weight > 0, num_classes)
    present = np.flatnonzero(count)
    if len(present) < 4:
        return []
    proto = prototypes(features, label, weight, num_classes)[present]
    seen = np.zeros((num_classes, int(camera.max()) + 1), np.float32)
    seen[label[weight > 0], camera[weight > 0]] = 1
    seen = seen[present]
    if len(present) ** 2 > EXACT_PAIRS:
        found = mutual_pairs(proto, seen)
        numbers = found.one, found.other, found.score, found.similarity, found.next_best, found.shared
        pairs = [
            _pair(one, other, score, similarity, next_best, shared, present, count)
            for one, other, score, similarity, next_best, shared in zip(*numbers, strict=True)
        ]
        return sorted(pairs, key=lambda pair: -pair.score)
    similarity = (proto @ proto.T).astype(float)
    np.fill_diagonal(similarity, np.nan)
    standard = (similarity - np.nanmean(similarity, 1, keepdims=True)) / np.maximum(
        np.nanstd(similarity, 1, keepdims=True), 1e-6
    )
    shared = np.rint(seen @ seen.T).astype(int)
    number = np.rint(seen.sum(1)).astype(int)
    score = (standard + standard.T) / 2 + camera_score(number[:, None], number, shared, number, seen.shape[1])
    best = np.nanargmax(score, axis=1)
    pairs = []
    for one, other in enumerate(best):
        if best[other] != one or other < one:
            continue
        rest = np.delete(similarity[[one, other]], [one, other], axis=1)
        pairs.append(
            _pair(
                one, other, score[one, other], similarity[one, other], rest.max(), shared[one, other],
                present, count,
            )
        )  # fmt: skip
    return sorted(pairs, key=lambda pair: -pair.score)


def _pair(
    one: int,
    other: int,
    score: float,
    similarity: float,
    next_best: float,
    shared: int,
    present: np.ndarray,
    count: np.ndarray,
) -> IdentityPair:
    first, second = (one, other) if count[present[one]] >= count[present[other]] else (other, one)
    return IdentityPair(
        int(present[first]),
        int(present[second]),
        float(score),
        float(similarity),
        float(next_best),
        int(shared),
    )


def more_than_one_person(
    features: np.ndarray, label: np.ndarray, camera: np.ndarray, clip: np.ndarray, num_classes: int
) -> list[IdentityParts]:
    """Identities whose clips fall into two parts, the most likely first; those that cannot be parted are left out.

    Args:
        features: [N, D] float32, without what a camera adds, of length 1.
        label, camera, clip: [N] int64.
        num_classes: C.
    """
    count = int(clip.max(initial=-1)) + 1
    means = unit(class_sums(features, clip, np.ones(len(clip), np.float32), count))
    size = np.bincount(clip, minlength=count)
    first = np.zeros(count, np.int64)
    first[clip] = np.arange(len(clip))
    proto = prototypes(features, label, np.ones(len(label)), num_classes)
    by_clip = np.argsort(clip, kind="stable")
    limits = np.searchsorted(clip[by_clip], np.arange(count + 1))
    order = np.argsort(label[first], kind="stable")
    parted = []
    for clips in np.split(order, np.flatnonzero(np.diff(label[first][order])) + 1) if count else []:
        two = _two_parts(means[clips], size[clips])
        if two is not None:
            parted.append((clips, *two))
    if not parted:
        return []
    sums = [class_sums(means[clips], smaller.astype(int), size[clips], 2) for clips, smaller, _, _ in parted]
    halves = unit(np.concatenate(sums)).reshape(len(sums), 2, -1)
    known = _known_as(halves, proto, [int(label[first[clips[0]]]) for clips, *_ in parted])
    found = []
    for (clips, smaller, score, between), other in zip(parted, known, strict=True):
        cameras = [set(camera[first[clips[part]]].tolist()) for part in (smaller, ~smaller)]
        rows = np.sort(np.concatenate([by_clip[limits[one] : limits[one + 1]] for one in clips[smaller]]))
        decidable = min(len(seen) for seen in cameras) > 1
        found.append(IdentityParts(int(label[first[clips[0]]]), score, between, rows, int(other), decidable))
    return sorted(found, key=lambda parts: -parts.score)


def _two_parts(means: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, float, float] | None:
    """Which clips [n] are of the smaller part, how much more alike clips of one part are, and the cosine between."""
    if len(means) < 2 * LEAST_CLIPS:
        return None
    similarity = np.clip(means @ means.T, -1, 1).astype(float)
    distance = 1 - similarity
    np.fill_diagonal(distance, 0)
    part = fcluster(linkage(squareform(distance, checks=False), "average"), 2, "maxclust") == 1
    if size[part].sum() > size[~part].sum():
        part = ~part
    if min(part.sum(), (~part).sum()) < LEAST_CLIPS or size[part].sum() < LEAST_SHARE * size.sum():
        return None
    weight = np.outer(size, size).astype(float)
    np.fill_diagonal(weight, 0)

    def mean(rows: np.ndarray, columns: np.ndarray) -> float:
        some = weight[np.ix_(rows, columns)]
        return float((similarity[np.ix_(rows, columns)] * some).sum() / some.sum())

    between = mean(part, ~part)
    return part, (mean(part, part) + mean(~part, ~part)) / 2 - between, between


def _known_as(parts: np.ndarray, proto: np.ndarray, labels: list[int]) -> np.ndarray:
    """The class [n] that each smaller part is like (parts [n, 2, D], the second row); -1 where it is like none more
    than the larger part."""
    label = np.array(labels)
    two = most_similar(np.ascontiguousarray(parts[:, 1]), proto, 2)
    best = np.where(two[:, 0] == label, two[:, -1], two[:, 0])
    like = np.einsum("nd,nd->n", parts[:, 1], proto[best])
    apart = np.einsum("nd,nd->n", parts[:, 0], parts[:, 1])
    return np.where((best >= 0) & (best != label) & (like > apart + _NAMED_AHEAD) & (like > 0.5), best, -1)
