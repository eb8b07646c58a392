"""What other clips say of a clip: whose images in other cameras it is like. A clip never speaks for itself.

A wrong tracklet votes for itself: its images are each other's nearest, under one label, and a model learns them by
heart together. So each clip is held against the images of other cameras, and its neighbours are sought outside of
it. Labels that other clips contradict count less, in a few rounds. The choice among the identities is McFadden's
conditional logit ("Conditional logit analysis of qualitative choice behavior", 1974): utilities linear in the
likeness to an identity and in its share of the neighbours' votes, the given label with an advantage that grows
with the share of its images in the clip.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from fastreid_prune.purify.discriminant import class_sums, unit, view_without
from fastreid_prune.purify.neighbours import nearest
from fastreid_prune.trajectory.blocks import row_slices

# in the rounds: nats by cosine, and the least that a label counts
_ROUNDS, _SHARPNESS, _LEAST_CONFIDENCE = 4, 16.0, 0.02
# votes: neighbours, the similarity at which a vote is worth 1/e, what a neighbour of the same camera is set back by,
# and what an identity without votes still has
_NEIGHBOURS, _VOTE_WIDTH, _SAME_CAMERA, _LEAST_VOTE = 20, 0.1, 0.15, 0.02
# an identity that no other camera has seen is compared within the camera, where all look more alike
_WITHIN_CAMERA = 0.1
_UNKNOWN = -1.0
_BLOCK_BYTES = 32 << 20


@dataclass(frozen=True)
class ChoiceWeights:
    """Of the utilities; fitted by ``benchmarks/clips.py`` to runs on three data sets.

    Attributes:
        likeness: nats by cosine similarity to an identity's images in other cameras.
        votes: nats by nat of the neighbours' votes.
        given: nats that the given label is ahead beforehand.
        share: nats more for a clip that is all of its identity.
    """

    likeness: float = 2.2
    votes: float = 1.94
    given: float = 3.08
    share: float = 6.73


@dataclass(frozen=True)
class ClipEvidence:
    """Of K clips.

    Attributes:
        size: [K] int, images.
        label, camera: [K] int.
        suggested, runner_up: [K] int64, the most likely identities besides the label in question.
        named: [K] float64, log odds that the suggested identity is the right one.
        wrong: [K] float64, log odds that the label in question is not.
        likeness_given, likeness_suggested: [K] float64, cosine.
        votes_given, votes_suggested: [K] float64, shares.
        decidable: [K] bool: another clip of the label's says something.
        other_cameras: [K] bool: and one of another camera's.
        confidence: [K] float64, how far each clip's label is believed by the others.
    """

    size: np.ndarray
    label: np.ndarray
    camera: np.ndarray
    suggested: np.ndarray
    runner_up: np.ndarray
    named: np.ndarray
    wrong: np.ndarray
    likeness_given: np.ndarray
    likeness_suggested: np.ndarray
    votes_given: np.ndarray
    votes_suggested: np.ndarray
    decidable: np.ndarray
    other_cameras: np.ndarray
    confidence: np.ndarray


def weigh_clips(
    features: np.ndarray,
    label: np.ndarray,
    camera: np.ndarray,
    clip: np.ndarray,
    in_question: np.ndarray,
    *,
    num_classes: int,
    barred: np.ndarray | None = None,
    weights: ChoiceWeights | None = None,
) -> ClipEvidence:
    """Hold each clip against the others.

    Args:
        features: [N, D] float32, without what a camera adds (:func:`.features.comparable`), of length 1.
        label: [N] int64, the class that each image speaks for.
        camera: [N] int64.
        clip: [N] int64 (:func:`.clips.find_clips`); images of a clip share label and camera.
        in_question: [K] int64, the class that is doubted of each clip: its label, or another.
        num_classes: C.
        barred: [K] int64, a class that is not to be suggested; -1 for none.
        weights: of the utilities.
    """
    weights = weights or ChoiceWeights()
    clips = _Clips.of(label, camera, clip)
    confidence = np.ones(len(clips.size))
    barred = np.full(len(clips.size), -1) if barred is None else barred
    for _ in range(_ROUNDS):
        whitened = _whitened(features, label, confidence[clip], num_classes)
        like, support = _likeness(whitened, clips, clip, confidence, num_classes)
        ahead, _, _ = _ahead(_SHARPNESS * like, clips.label, np.where(barred == clips.label, -1, barred))
        ahead = np.where(support, ahead, 0.0)
        confidence = np.clip(1 / (1 + np.exp(np.clip(ahead, -30, 30))), _LEAST_CONFIDENCE, 1)
    votes = _votes(whitened, clips, clip, confidence, num_classes)
    place = np.arange(len(clips.size))
    utility = weights.likeness * like + weights.votes * np.log(votes + _LEAST_VOTE)
    others = np.bincount(clips.label, confidence * clips.size, num_classes)[in_question]
    others = others - np.where(in_question == clips.label, confidence * clips.size, 0)
    utility[place, in_question] += weights.given + weights.share * clips.size / (clips.size + others)
    has_bar = barred >= 0
    utility[place[has_bar], barred[has_bar]] = -np.inf
    total = logsumexp(utility, axis=1)
    _, best, second = _ahead(utility, in_question, barred)
    other_cameras = _seen_elsewhere(clips, confidence, in_question, num_classes)
    return ClipEvidence(
        size=clips.size,
        label=clips.label,
        camera=clips.camera,
        suggested=best,
        runner_up=second,
        named=_log_odds(utility[place, best] - total),
        wrong=-_log_odds(utility[place, in_question] - total),
        likeness_given=like[place, in_question].astype(float),
        likeness_suggested=like[place, best].astype(float),
        votes_given=votes[place, in_question],
        votes_suggested=votes[place, best],
        decidable=others > _LEAST_CONFIDENCE,
        other_cameras=other_cameras,
        confidence=confidence,
    )


@dataclass(frozen=True)
class _Clips:
    size: np.ndarray
    label: np.ndarray
    camera: np.ndarray

    @classmethod
    def of(cls, label: np.ndarray, camera: np.ndarray, clip: np.ndarray) -> "_Clips":
        first = np.zeros(int(clip.max(initial=-1)) + 1, np.int64)
        first[clip] = np.arange(len(clip))
        return cls(np.bincount(clip), label[first], camera[first])


def _whitened(features: np.ndarray, label: np.ndarray, confidence: np.ndarray, classes: int) -> np.ndarray:
    view = view_without(features, label, confidence, np.zeros(len(label), bool), classes)
    return view.transform(features)


def _likeness(
    features: np.ndarray, clips: _Clips, clip: np.ndarray, confidence: np.ndarray, classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """[K, C] float32, the cosine of each clip to each class's images of other cameras; and [K] bool, whether its own
    label has other images at all."""
    count = len(clips.size)
    means = unit(_clip_sums(features, clip, count))
    weight, label, camera = confidence[clip], clips.label[clip], clips.camera[clip]
    total, images = class_sums(features, label, weight, classes), np.bincount(label, weight, classes)
    everywhere = unit(total).T
    like = np.empty((count, classes), np.float32)
    support = np.zeros(count, bool)
    for one in np.unique(clips.camera):
        inside, here = np.flatnonzero(clips.camera == one), camera == one
        sums = class_sums(features[here], label[here], weight[here], classes)
        seen = images - np.bincount(label[here], weight[here], classes) > _LEAST_CONFIDENCE
        elsewhere = unit(total - sums).T
        for part in row_slices(len(inside), 12 * classes, _BLOCK_BYTES):
            rows = inside[part]
            away, anywhere = means[rows] @ elsewhere, means[rows] @ everywhere
            like[rows] = np.where(seen, away, anywhere - _WITHIN_CAMERA)
        alone = inside[~seen[clips.label[inside]]]
        rest = total[clips.label[alone]] - confidence[alone, None] * _clip_sums(features, clip, count)[alone]
        known = np.linalg.norm(rest, axis=1) > 1e-3
        cosine = np.einsum("kd,kd->k", means[alone], unit(rest)) - _WITHIN_CAMERA
        like[alone, clips.label[alone]] = np.where(known, cosine, _UNKNOWN)
        support[inside] = True
        support[alone] = known
    return like, support


def _votes(
    features: np.ndarray, clips: _Clips, clip: np.ndarray, confidence: np.ndarray, classes: int
) -> np.ndarray:
    """[K, C] float64, the shares of the votes of the nearest images outside the clip, those of its camera set back."""
    count, rows = len(clips.size), np.arange(len(clip))
    reach = 2 * _NEIGHBOURS + min(int(clips.size.max(initial=0)), _NEIGHBOURS)
    found = nearest(features, np.ones(len(rows), bool), reach, rows)
    index = np.maximum(found.index, 0)
    same_camera = clips.camera[clip[index]] == clips.camera[clip][:, None]
    near = found.similarity - _SAME_CAMERA * same_camera
    near = np.where((found.index < 0) | (clip[index] == clip[:, None]), -np.inf, near)
    order = np.argsort(-near, axis=1, kind="stable")[:, :_NEIGHBOURS]
    near, index = np.take_along_axis(near, order, 1), np.take_along_axis(index, order, 1)
    best = np.where(np.isfinite(near[:, :1]), near[:, :1], 0.0)
    weight = np.exp((near - best) / _VOTE_WIDTH) * confidence[clip[index]]
    weight /= np.maximum(weight.sum(1, keepdims=True), 1e-12) * clips.size[clip][:, None]
    place = clip[:, None] * classes + clips.label[clip[index]]
    counted = np.bincount(place.ravel(), weight.ravel(), minlength=count * classes)
    return counted.reshape(count, classes)


def _clip_sums(features: np.ndarray, clip: np.ndarray, count: int) -> np.ndarray:
    return class_sums(features, clip, np.ones(len(clip), np.float32), count)


def _ahead(
    utility: np.ndarray, label: np.ndarray, barred: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[K] nats by which another class is ahead of the label, and the two best other classes."""
    other, place = utility.copy(), np.arange(len(utility))
    other[place, label] = -np.inf
    has_bar = barred >= 0
    other[place[has_bar], barred[has_bar]] = -np.inf
    two = np.argpartition(-other, 1, axis=1)[:, :2]
    swap = other[place, two[:, 0]] < other[place, two[:, 1]]
    two[swap] = two[swap][:, ::-1]
    return other[place, two[:, 0]] - utility[place, label], two[:, 0], two[:, 1]


def _seen_elsewhere(clips: _Clips, confidence: np.ndarray, label: np.ndarray, classes: int) -> np.ndarray:
    cameras = int(clips.camera.max(initial=0)) + 1
    cell = np.bincount(clips.label * cameras + clips.camera, confidence, classes * cameras)
    cell = cell.reshape(classes, cameras)
    return np.asarray(cell[label].sum(1) - cell[label, clips.camera] > _LEAST_CONFIDENCE)


def _log_odds(log_probability: np.ndarray) -> np.ndarray:
    inside = np.minimum(log_probability, -1e-12)
    return np.maximum(inside, -700.0) - np.log(-np.expm1(inside))
