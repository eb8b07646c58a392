"""What all samples are judged against: each other, those who are doubted counting less."""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.purify.discriminant import NUM_FOLDS, View, folds, unit, view_without
from fastreid_prune.purify.features import comparable
from fastreid_prune.purify.neighbours import Neighbours, joined, nearest
from fastreid_prune.purify.soft_labels import log_softmax, rows_of
from fastreid_prune.trajectory import Trajectory
from fastreid_prune.trajectory.blocks import row_slices

NUM_NEIGHBOURS = 20
_ROUNDS = 3
# nats of the soft label and similarity to prototypes, in the choice of an identity
SOFT_WEIGHT, LIKENESS_WEIGHT = 0.5, 16.0
# nobody is silenced altogether by a first guess
_LEAST_TRUST = 0.02
_BLOCK_BYTES = 32 << 20


@dataclass(frozen=True)
class ReferenceSet:
    """N samples in C classes.

    Attributes:
        label: [N] int64, the class that each sample speaks for.
        label_confidence: [N] float64, the probability that ``label`` is right; 0 for those who have no say.
        camera: [N] int64.
        known: [N] bool, samples that were seen and have features.
        features: [N, D] float32, without what a camera adds.
        plain: [N, D] float32, the same, of length 1.
        plain_neighbours: of each sample among those with a say, by plain similarity.
        fold: [N] int, which view a sample is looked at through.
        views: one a fold, made without the fold's samples.
        neighbours: as ``plain_neighbours``, by the view's similarity.
    """

    label: np.ndarray
    label_confidence: np.ndarray
    camera: np.ndarray
    known: np.ndarray
    features: np.ndarray
    plain: np.ndarray
    plain_neighbours: Neighbours
    fold: np.ndarray
    views: list[View]
    neighbours: Neighbours


def build_reference_set(trajectory: Trajectory, label: np.ndarray, speaks: np.ndarray) -> ReferenceSet:
    """Find out, in a few rounds, who is to be believed, and who is whose neighbour.

    Args:
        trajectory: of a scored run, with features.
        label: [N] int64, the class that each sample speaks for.
        speaks: [N] bool, samples that have a say.
    """
    count, classes = trajectory.num_samples, trajectory.num_classes
    camids = np.full(count, "") if trajectory.samples is None else trajectory.samples.camid
    assert trajectory.features is not None  # the judge refuses a run without
    features = comparable(trajectory.features, camids)
    known = np.isfinite(features).all(1) & (trajectory.epochs.visits.sum(0) > 0)
    features[~known] = 0
    speaks = speaks & known
    fold = folds(count)
    label_confidence = speaks.astype(float)
    for _ in range(_ROUNDS):
        views = [
            view_without(features, label, label_confidence, fold == one, classes) for one in range(NUM_FOLDS)
        ]
        against = np.full(count, np.nan)
        for one, view in enumerate(views):
            inside = np.flatnonzero(fold == one)
            for part in row_slices(len(inside), 12 * classes, _BLOCK_BYTES):
                rows = inside[part]
                against[rows] = _against(trajectory, view, features[rows], label[rows], rows)
        guess = 1 / (1 + np.exp(np.clip(np.nan_to_num(against), -30, 30)))
        label_confidence = np.where(speaks, np.maximum(guess, _LEAST_TRUST), 0.0)
    views = [
        view_without(features, label, label_confidence, fold == one, classes) for one in range(NUM_FOLDS)
    ]
    plain = unit(features)
    found = []
    for one, view in enumerate(views):
        inside = np.flatnonzero(fold == one)
        found.append((inside, nearest(view.transform(features), speaks, NUM_NEIGHBOURS, inside)))
    return ReferenceSet(
        label=label,
        label_confidence=label_confidence,
        camera=np.unique(np.asarray(camids, str), return_inverse=True)[1],
        known=known,
        features=features,
        plain=plain,
        plain_neighbours=nearest(plain, speaks, NUM_NEIGHBOURS // 2, np.arange(count)),
        fold=fold,
        views=views,
        neighbours=joined(count, found),
    )


def _against(
    trajectory: Trajectory, view: View, features: np.ndarray, label: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    """[n] nats by which another class is ahead of the one spoken for, by soft label and likeness."""
    score = SOFT_WEIGHT * log_softmax(rows_of(trajectory.mean_logits, rows))
    score += LIKENESS_WEIGHT * view.similarities(features)
    place = np.arange(len(rows))
    own = score[place, label].copy()
    score[place, label] = -np.inf
    return score.max(1) - own
