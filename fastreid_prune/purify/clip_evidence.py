"""What other clips say of a clip: whose images in other cameras it is like. A clip never speaks for itself.

A wrong tracklet votes for itself: its images are each other's nearest, under one label, and a model learns them by
heart together. So each clip is held against the images of other cameras. Labels that other clips contradict count less,
in a few rounds. The choice among the identities is McFadden's conditional logit ("Conditional logit analysis of
qualitative choice behavior", 1974): utilities linear in the likeness to an identity, the given label with an advantage
that grows with the share of its images in the clip, and with the likeness to the most similar other clip of it: a clip
that came under a wrong number is alone there, while a part of an identity that holds two persons has company.
(A constant advantage, and votes of the nearest images, added nothing.)
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from scipy.special import logsumexp

from fastreid_prune.io.bars import bar
from fastreid_prune.io.work import Work
from fastreid_prune.purify.clip_classes import (
    EXACT_PAIRS,
    LEAST_CONFIDENCE,
    AllClasses,
    Candidates,
    Clips,
    company,
    first_candidates,
    more_candidates,
)
from fastreid_prune.purify.discriminant import view_without

_ROUNDS = 4
# of the whitening, towards none: what whole clips under wrong labels do to it is worse than what single images do
_SHRINKAGE = 0.5
# what the most similar other clip of the given label counts, as a share of the likeness to all of it (ours; fitted too,
# it is 0.1 to 0.9, by how much the sets tell of identities that hold two persons)
COMPANY = 0.5
# images from which on a progress bar is worth while
_SHOWN = 10_000


@dataclass(frozen=True)
class ChoiceWeights:
    """Of the utilities; fitted by ``benchmarks/fit_clip_weights.py`` to runs on three data sets.

    Attributes:
        likeness: nats by cosine similarity to an identity's images in other cameras.
        share: nats that the given label is ahead beforehand for a clip that is all of its identity, less for one that
            is a part.
    """

    likeness: float = 14.7
    share: float = 5.8


@dataclass(frozen=True)
class ClipEvidence:
    """Of K clips.

    Attributes:
        size: [K] int, images.
        label, camera: [K] int.
        suggested, runner_up: [K] int64, the most likely identities besides the label in question.
        named: [K] float64, log odds that the suggested identity is the right one.
        name: [K] float64, the same where the label in question is wrong.
        wrong: [K] float64, log odds that the label in question is not.
        likeness_given, likeness_suggested: [K] float64, cosine.
        decidable: [K] bool: another clip of the label's says something.
        other_cameras: [K] bool: and one of another camera's.
        confidence: [K] float64, how far each clip's label is believed by the others.
        exact: all classes were compared with all clips.
    """

    size: np.ndarray
    label: np.ndarray
    camera: np.ndarray
    suggested: np.ndarray
    runner_up: np.ndarray
    named: np.ndarray
    name: np.ndarray
    wrong: np.ndarray
    likeness_given: np.ndarray
    likeness_suggested: np.ndarray
    decidable: np.ndarray
    other_cameras: np.ndarray
    confidence: np.ndarray
    exact: bool = True


@dataclass(frozen=True)
class ClipLikeness:
    """How like K clips are to classes, as far as labels are believed.

    Attributes:
        look: which classes the columns are.
        features: [N, D] float32, as they were compared.
        believed: [K] float64, how far each clip's label counted in the likeness.
        confidence: [K] float64, how far it is believed by it.
        cosine: [K, M] float32.
    """

    look: AllClasses | Candidates
    features: np.ndarray
    believed: np.ndarray
    confidence: np.ndarray
    cosine: np.ndarray

    def company(self, label: np.ndarray, own: np.ndarray, barred: np.ndarray) -> np.ndarray:
        """[K] how much more like another camera's clip of a class [K], whose columns are ``own`` [K], each clip is than
        like the most similar class that is neither this nor ``barred`` [K]; 0 where no other camera saw the class."""
        most = company(self.features, self.look.clips, self.look.clip, label)
        _, best, _ = _ahead(self.cosine, own, barred)
        return np.where(most > -1, most - self.cosine[np.arange(len(own)), best], 0.0)

    def share(self, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The share [K] of a clip in the images of a class [K], the clip among them, and the others' number [K]."""
        clips = self.look.clips
        images = self.confidence * clips.size
        others = np.bincount(clips.label, images, self.look.num_classes)[label]
        others = others - np.where(label == clips.label, images, 0)
        return clips.size / (clips.size + others), others


def clip_likeness(
    features: np.ndarray,
    label: np.ndarray,
    camera: np.ndarray,
    clip: np.ndarray,
    in_question: np.ndarray,
    *,
    num_classes: int,
    barred: np.ndarray | None = None,
    weights: ChoiceWeights | None = None,
    work: Work | None = None,
) -> ClipLikeness:
    """Compare clips with classes, in rounds; see :func:`weigh_clips`.

    In the first round features are not whitened: as long as every label is believed, wrong clips are what images of an
    identity seem to differ in most.
    """
    weights = weights or ChoiceWeights()
    clips = Clips.of(label, camera, clip)
    barred = np.full(len(clips.size), -1) if barred is None else barred
    every = AllClasses(clips, clip, num_classes)
    look: AllClasses | Candidates = every
    if len(clips.size) * num_classes > EXACT_PAIRS:
        look = first_candidates(every, features, [in_question, barred], work)
    believed = confidence = np.ones(len(clips.size))
    with bar("holding clips against clips", _ROUNDS * len(clip), shown=len(clip) > _SHOWN) as advance:
        for number in range(_ROUNDS):
            believed, seen = confidence, features
            if number:
                view = view_without(
                    features, label, believed[clip], np.zeros(len(label), bool), num_classes, _SHRINKAGE
                )
                seen = view.transform(features)
            if isinstance(look, Candidates) and number == _ROUNDS - 1:
                look = more_candidates(look, seen, believed, work)
            cosine, support = look.likeness(seen, believed)
            bars = np.where((barred >= 0) & (barred != clips.label), look.place(barred), -1)
            ahead, _, _ = _ahead(weights.likeness * cosine, look.place(clips.label), bars)
            ahead = np.where(support, ahead, 0.0)
            confidence = np.clip(1 / (1 + np.exp(np.clip(ahead, -30, 30))), LEAST_CONFIDENCE, 1)
            advance(len(clip))
    return ClipLikeness(look, seen, believed, confidence, cosine)


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
    work: Work | None = None,
    name: str = "",
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
        work: how it is done.
        name: of this step of the work.
    """
    work, weights = work or Work(), weights or ChoiceWeights()
    barred = np.full(len(in_question), -1) if barred is None else barred

    names = [one.name for one in fields(ClipEvidence)]

    def weighed() -> tuple[np.ndarray, ...]:
        likeness = clip_likeness(
            features, label, camera, clip, in_question,
            num_classes=num_classes, barred=barred, weights=weights, work=work,
        )  # fmt: skip
        found = _weighed(likeness, in_question, num_classes, barred, weights)
        return tuple(np.asarray(getattr(found, one)) for one in names)

    found: dict[str, Any] = dict(zip(names, work.step(name, weighed), strict=True))
    return ClipEvidence(**found | {"exact": bool(found["exact"])})


def _weighed(
    found: ClipLikeness, in_question: np.ndarray, num_classes: int, barred: np.ndarray, weights: ChoiceWeights
) -> ClipEvidence:
    """See :func:`weigh_clips`."""
    look, clips, cosine = found.look, found.look.clips, found.cosine
    place, own = np.arange(len(clips.size)), look.place(in_question)
    bars = np.where(barred >= 0, look.place(barred), -1)
    utility = weights.likeness * cosine.astype(float)
    share, others = found.share(in_question)
    utility[place, own] += weights.share * share
    utility[place, own] += COMPANY * weights.likeness * found.company(in_question, own, bars)
    has_bar = bars >= 0
    utility[place[has_bar], bars[has_bar]] = -np.inf
    total = logsumexp(utility, axis=1)
    if isinstance(look, Candidates):
        total = np.logaddexp(total, look.rest(found.features, found.believed, weights.likeness))
    _, best, second = _ahead(utility, own, bars)
    return ClipEvidence(
        size=clips.size,
        label=clips.label,
        camera=clips.camera,
        suggested=best if look.classes is None else look.classes[place, best].astype(np.int64),
        runner_up=second if look.classes is None else look.classes[place, second].astype(np.int64),
        named=_log_odds(utility[place, best] - total),
        name=_log_odds(utility[place, best] - _without(total, utility[place, own])),
        wrong=-_log_odds(utility[place, own] - total),
        likeness_given=cosine[place, own].astype(float),
        likeness_suggested=cosine[place, best].astype(float),
        decidable=others > LEAST_CONFIDENCE,
        other_cameras=_seen_elsewhere(clips, found.confidence, in_question, num_classes),
        confidence=found.confidence,
        exact=look.classes is None,
    )


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


def _without(total: np.ndarray, part: np.ndarray) -> np.ndarray:
    """ln of the sum of exp less one of its terms, of both as logarithms [K]."""
    return total + np.log(np.maximum(-np.expm1(part - total), 1e-300))


def _log_odds(log_probability: np.ndarray) -> np.ndarray:
    inside = np.minimum(log_probability, -1e-12)
    return np.maximum(inside, -700.0) - np.log(-np.expm1(inside))
