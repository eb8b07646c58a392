"""What other clips say of a clip: whose images in other cameras it is like. A clip never speaks for itself.

A wrong tracklet votes for itself: its images are each other's nearest, under one label, and a model learns them by
heart together. So each clip is held against the images of other cameras, and its neighbours are sought outside of
it. Labels that other clips contradict count less, in a few rounds. The choice among the identities is McFadden's
conditional logit ("Conditional logit analysis of qualitative choice behavior", 1974): utilities linear in the
likeness to an identity and in its share of the neighbours' votes, the given label with an advantage that grows
with the share of its images in the clip.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import logsumexp

from fastreid_prune.purify.clip_classes import (
    EXACT_PAIRS,
    LEAST_CONFIDENCE,
    AllClasses,
    Candidates,
    Clips,
    first_candidates,
    with_votes,
)
from fastreid_prune.purify.discriminant import view_without

# in the rounds: nats by cosine
_ROUNDS, _SHARPNESS = 4, 16.0
# what an identity without votes still has
_LEAST_VOTE = 0.02


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
        recall: of the neighbours that voted, measured on a sample; 1 where all were compared with all.
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
    recall: float = 1.0


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
    keep_in: Path | None = None,
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
        keep_in: a folder for what takes minutes, see :func:`.neighbours.nearest`.
    """
    weights = weights or ChoiceWeights()
    clips = Clips.of(label, camera, clip)
    confidence = np.ones(len(clips.size))
    barred = np.full(len(clips.size), -1) if barred is None else barred
    every = AllClasses(clips, clip, num_classes, keep_in)
    look: AllClasses | Candidates = every
    if len(clips.size) * num_classes > EXACT_PAIRS:
        whitened = _whitened(features, label, confidence[clip], num_classes)
        look = first_candidates(every, whitened, [in_question, barred])
    for _ in range(_ROUNDS):
        believed = confidence
        whitened = _whitened(features, label, confidence[clip], num_classes)
        like, support = look.likeness(whitened, confidence)
        own = look.place(clips.label)
        bars = np.where((barred >= 0) & (barred != clips.label), look.place(barred), -1)
        ahead, _, _ = _ahead(_SHARPNESS * like, own, bars)
        ahead = np.where(support, ahead, 0.0)
        confidence = np.clip(1 / (1 + np.exp(np.clip(ahead, -30, 30))), LEAST_CONFIDENCE, 1)
    recall = 1.0
    if isinstance(look, Candidates):
        look, votes, recall = with_votes(look, whitened, confidence)
        like, _ = look.likeness(whitened, believed)
    else:
        votes = look.votes(whitened, confidence)
    place, own = np.arange(len(clips.size)), look.place(in_question)
    bars = np.where(barred >= 0, look.place(barred), -1)
    utility = weights.likeness * like + weights.votes * np.log(votes + _LEAST_VOTE)
    others = np.bincount(clips.label, confidence * clips.size, num_classes)[in_question]
    others = others - np.where(in_question == clips.label, confidence * clips.size, 0)
    utility[place, own] += weights.given + weights.share * clips.size / (clips.size + others)
    has_bar = bars >= 0
    utility[place[has_bar], bars[has_bar]] = -np.inf
    total = logsumexp(utility, axis=1)
    if isinstance(look, Candidates):
        rest = look.rest(whitened, believed, weights.likeness) + weights.votes * np.log(_LEAST_VOTE)
        total = np.logaddexp(total, rest)
    _, best, second = _ahead(utility, own, bars)
    other_cameras = _seen_elsewhere(clips, confidence, in_question, num_classes)
    return ClipEvidence(
        size=clips.size,
        label=clips.label,
        camera=clips.camera,
        suggested=best if look.classes is None else look.classes[place, best].astype(np.int64),
        runner_up=second if look.classes is None else look.classes[place, second].astype(np.int64),
        named=_log_odds(utility[place, best] - total),
        wrong=-_log_odds(utility[place, own] - total),
        likeness_given=like[place, own].astype(float),
        likeness_suggested=like[place, best].astype(float),
        votes_given=votes[place, own],
        votes_suggested=votes[place, best],
        decidable=others > LEAST_CONFIDENCE,
        other_cameras=other_cameras,
        confidence=confidence,
        recall=recall,
    )


def _whitened(features: np.ndarray, label: np.ndarray, confidence: np.ndarray, classes: int) -> np.ndarray:
    view = view_without(features, label, confidence, np.zeros(len(label), bool), classes)
    return view.transform(features)


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


def _seen_elsewhere(clips: Clips, confidence: np.ndarray, label: np.ndarray, classes: int) -> np.ndarray:
    cameras = int(clips.camera.max(initial=0)) + 1
    cell = np.bincount(clips.label * cameras + clips.camera, confidence, classes * cameras)
    cell = cell.reshape(classes, cameras)
    return np.asarray(cell[label].sum(1) - cell[label, clips.camera] > LEAST_CONFIDENCE)


def _log_odds(log_probability: np.ndarray) -> np.ndarray:
    inside = np.minimum(log_probability, -1e-12)
    return np.maximum(inside, -700.0) - np.log(-np.expm1(inside))
