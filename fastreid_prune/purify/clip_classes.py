"""How like clips are to classes.

Of all classes, or where those are too many to hold (clips times classes), of the candidates of each clip.
"""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.io.work import Work
from fastreid_prune.purify.candidate_classes import most_similar, place_of, similarities, together
from fastreid_prune.purify.discriminant import class_sums, unit
from fastreid_prune.trajectory.blocks import row_slices

# the least that a label counts
LEAST_CONFIDENCE = 0.02
# an identity that no other camera has seen is compared within the camera, where all look more alike
_WITHIN_CAMERA = 0.1
_UNKNOWN = -1.0
_BLOCK_BYTES = 32 << 20
# up to so many clips times classes all are held (ours); candidates by prototypes; classes drawn for the rest
EXACT_PAIRS = 100_000_000
_BY_PROTOTYPE, _DRAWN = 16, 512


@dataclass(frozen=True)
class Clips:
    """K clips: images, label and camera of each, [K] int."""

    size: np.ndarray
    label: np.ndarray
    camera: np.ndarray

    @classmethod
    def of(cls, label: np.ndarray, camera: np.ndarray, clip: np.ndarray) -> "Clips":
        """Of images [N] with their clips."""
        first = np.zeros(int(clip.max(initial=-1)) + 1, np.int64)
        first[clip] = np.arange(len(clip))
        return cls(np.bincount(clip), label[first], camera[first])


def clip_sums(features: np.ndarray, clip: np.ndarray, count: int) -> np.ndarray:
    """[K, D] float32, the sums of the clips' images."""
    return class_sums(features, clip, np.ones(len(clip), np.float32), count)


def company(features: np.ndarray, clips: Clips, clip: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """[K] the cosine of each clip to the most similar clip that another camera saw of a class [K]; -1 without any.

    >>> clips = Clips.of(np.array([0, 0, 0]), np.array([0, 1, 1]), np.arange(3))
    >>> company(np.eye(3, dtype=np.float32)[[0, 0, 1]], clips, np.arange(3), np.zeros(3, int)).tolist()
    [1.0, 1.0, 0.0]
    """
    means = unit(clip_sums(features, clip, len(clips.size)))
    result = np.full(len(means), _UNKNOWN)
    by_label, by_wanted = np.argsort(clips.label, kind="stable"), np.argsort(wanted, kind="stable")
    classes, starts = np.unique(wanted[by_wanted], return_index=True)
    label = clips.label[by_label]
    low, high = np.searchsorted(label, classes), np.searchsorted(label, classes, side="right")
    for number, doubted in enumerate(np.split(by_wanted, starts)[1:]):
        others = by_label[low[number] : high[number]]
        for part in row_slices(len(doubted), 8 * max(len(others), 1), _BLOCK_BYTES):
            rows = doubted[part]
            cosine = means[rows] @ means[others].T
            cosine[clips.camera[rows, None] == clips.camera[others]] = _UNKNOWN
            result[rows] = cosine.max(1, initial=_UNKNOWN)
    return result


@dataclass(frozen=True)
class AllClasses:
    """Columns are classes.

    Attributes:
        clips: K of them.
        clip: [N] int64, of each image.
        num_classes: C.
    """

    clips: Clips
    clip: np.ndarray
    num_classes: int
    classes: None = None

    def place(self, wanted: np.ndarray) -> np.ndarray:
        """[K] the column of a class [K]."""
        return wanted

    def likeness(self, features: np.ndarray, confidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """[K, C] float32, the cosine of each clip to each class's images of other cameras; and [K] bool, whether its
        own label has other images at all."""
        clips, clip, classes = self.clips, self.clip, self.num_classes
        count = len(clips.size)
        sums = clip_sums(features, clip, count)
        means = unit(sums)
        weight, label, camera = confidence[clip], clips.label[clip], clips.camera[clip]
        total, images = class_sums(features, label, weight, classes), np.bincount(label, weight, classes)
        everywhere = unit(total).T
        like = np.empty((count, classes), np.float32)
        support = np.zeros(count, bool)
        for one in np.unique(clips.camera):
            inside, here = np.flatnonzero(clips.camera == one), camera == one
            at_camera = class_sums(features[here], label[here], weight[here], classes)
            seen = images - np.bincount(label[here], weight[here], classes) > LEAST_CONFIDENCE
            elsewhere = unit(total - at_camera).T
            for part in row_slices(len(inside), 12 * classes, _BLOCK_BYTES):
                rows = inside[part]
                away, anywhere = means[rows] @ elsewhere, means[rows] @ everywhere
                like[rows] = np.where(seen, away, anywhere - _WITHIN_CAMERA)
            alone = inside[~seen[clips.label[inside]]]
            rest = total[clips.label[alone]] - confidence[alone, None] * sums[alone]
            like[alone, clips.label[alone]], known = _within(means[alone], rest)
            support[inside] = True
            support[alone] = known
        return like, support


@dataclass(frozen=True)
class Candidates:
    """Columns are the candidates of each clip.

    Attributes:
        clips, clip, num_classes: as of :class:`AllClasses`.
        classes: [K, M] int32; -1 fills up.
    """

    clips: Clips
    clip: np.ndarray
    num_classes: int
    classes: np.ndarray

    def place(self, wanted: np.ndarray) -> np.ndarray:
        """[K] the column of a class [K], which is among its clip's candidates."""
        return place_of(self.classes, wanted)

    def likeness(self, features: np.ndarray, confidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As :meth:`AllClasses.likeness`, [K, M]; -inf where there is no candidate."""
        clips, clip, classes, wanted = self.clips, self.clip, self.num_classes, self.classes
        count, cameras = len(clips.size), int(clips.camera.max(initial=0)) + 1
        sums = clip_sums(features, clip, count)
        means = unit(sums)
        weight, label = confidence[clip], clips.label[clip]
        total, images = class_sums(features, label, weight, classes), np.bincount(label, weight, classes)
        # what a camera saw of a class: the cells that are not empty
        keys, cell = np.unique(label * cameras + clips.camera[clip], return_inverse=True)
        cell = cell.reshape(-1)
        in_cell = np.bincount(cell, weight)
        elsewhere = unit(total[keys // cameras] - class_sums(features, cell, weight, len(keys)))
        key = wanted.astype(np.int64) * cameras + clips.camera[:, None]
        at = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
        there = keys[at] == key
        anywhere = similarities(means, unit(total), wanted)
        away = np.where(there, similarities(means, elsewhere, np.where(there, at, -1)), anywhere)
        seen = images[wanted] - np.where(there, in_cell[at], 0) > LEAST_CONFIDENCE
        like = np.where(seen, away, anywhere - _WITHIN_CAMERA).astype(np.float32)
        like[wanted < 0] = -np.inf
        place = np.arange(count)
        own = self.place(clips.label)
        alone = np.flatnonzero(~seen[place, own])
        rest = total[clips.label[alone]] - confidence[alone, None] * sums[alone]
        support = np.ones(count, bool)
        like[alone, own[alone]], support[alone] = _within(means[alone], rest)
        return like, support

    def rest(self, features: np.ndarray, confidence: np.ndarray, nats: float) -> np.ndarray:
        """[K] ln of the sum of exp(nats * cosine) over all classes that are no candidates, from those among classes
        drawn at random."""
        label = self.clips.label[self.clip]
        total = unit(class_sums(features, label, confidence[self.clip], self.num_classes))
        drawn = np.random.default_rng(0).permutation(self.num_classes)[:_DRAWN]
        means = unit(clip_sums(features, self.clip, len(self.clips.size)))
        place = np.full(self.num_classes, -1)
        place[drawn] = np.arange(len(drawn))
        result = np.empty(len(means))
        for part in row_slices(len(means), 8 * len(drawn), _BLOCK_BYTES):
            weight = np.exp(nats * (means[part] @ total[drawn].T).astype(float))
            row, column = np.nonzero((self.classes[part] >= 0) & (place[self.classes[part]] >= 0))
            weight[row, place[self.classes[part][row, column]]] = 0
            left = np.maximum(len(drawn) - np.bincount(row, minlength=len(weight)), 1)
            result[part] = np.log(np.maximum(weight.sum(1), 1e-300) / left)
        others = self.num_classes - (self.classes >= 0).sum(1)
        return result + np.log(np.maximum(others, 1e-9))


def first_candidates(
    every: AllClasses, features: np.ndarray, in_question: list[np.ndarray], work: Work | None = None
) -> Candidates:
    """What each clip is most like, its label, and the classes [K] in question."""
    columns = [every.clips.label, *in_question]
    return _with_most_similar(
        every, features, np.ones(len(every.clips.size)), [one[:, None] for one in columns], work
    )


def more_candidates(
    before: Candidates, features: np.ndarray, confidence: np.ndarray, work: Work | None = None
) -> Candidates:
    """The candidates with what each clip is most like in these features, each label counting its ``confidence`` [K]."""
    return _with_most_similar(before, features, confidence, [before.classes], work)


def _with_most_similar(
    look: AllClasses | Candidates,
    features: np.ndarray,
    confidence: np.ndarray,
    columns: list[np.ndarray],
    work: Work | None,
) -> Candidates:
    clips, clip, classes = look.clips, look.clip, look.num_classes
    prototypes = unit(class_sums(features, clips.label[clip], confidence[clip], classes))
    like = most_similar(unit(clip_sums(features, clip, len(clips.size))), prototypes, _BY_PROTOTYPE, work)
    return Candidates(clips, clip, classes, together(*columns, like))


def _within(means: np.ndarray, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cosine [n] of clips to the rest of their identity in their camera, and whether there is any."""
    known = np.linalg.norm(rest, axis=1) > 1e-3
    cosine = np.einsum("kd,kd->k", means, unit(rest)) - _WITHIN_CAMERA
    return np.where(known, cosine, _UNKNOWN), known
