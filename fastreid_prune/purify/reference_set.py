"""What all samples are judged against: each other, those who are doubted counting less."""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.io.bars import bar
from fastreid_prune.purify.candidate_classes import (
    BY_PROTOTYPE,
    BY_SOFT_LABEL,
    most_similar,
    place_of,
    similarities,
    together,
)
from fastreid_prune.purify.discriminant import NUM_FOLDS, View, class_sums, folds, unit, view_without
from fastreid_prune.purify.features import comparable
from fastreid_prune.purify.neighbours import Neighbours, folder_between, joined, lists_of, nearest
from fastreid_prune.purify.soft_labels import log_softmax, rows_of
from fastreid_prune.scores.top_classes import too_many, top_classes
from fastreid_prune.trajectory import Trajectory
from fastreid_prune.trajectory.blocks import row_slices
from fastreid_prune.trajectory.factors import FactoredLogits

NUM_NEIGHBOURS = 20
_ROUNDS = 3
# nats of the soft label and similarity to prototypes, in the choice of an identity
SOFT_WEIGHT, LIKENESS_WEIGHT = 0.5, 16.0
# nobody is silenced altogether by a first guess
_LEAST_TRUST = 0.02
_BLOCK_BYTES = 32 << 20
# samples from which on a progress bar is worth while
_SHOWN = 10_000


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
        candidates: [N, M] int32, the classes that each sample could belong to, -1 fills up; None where all classes
            are looked at.
        log_total: [N] float64, ln of the soft label's denominator, where candidates are looked at.
        approximations: what is not exact, in sentences; empty where everything is.
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
    candidates: np.ndarray | None = None
    log_total: np.ndarray | None = None
    approximations: tuple[str, ...] = ()


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
    plain = unit(features)
    keep_in = folder_between(trajectory)
    plain_neighbours = nearest(plain, speaks, NUM_NEIGHBOURS // 2, np.arange(count), keep_in=keep_in)
    logits = trajectory.mean_logits
    candidates = first_logits = log_total = None
    approximations: list[str] = []
    if isinstance(logits, FactoredLogits) and too_many(logits):
        top = top_classes(trajectory)
        log_total = top.log_total
        approximations.append(top.sentence)
        prototypes = unit(class_sums(plain, label, label_confidence, classes))
        candidates = together(
            label[:, None], np.asarray(trajectory.labels)[:, None],
            top.classes[:, :BY_SOFT_LABEL], _labels_of(plain_neighbours, label),
            most_similar(plain, prototypes, BY_PROTOTYPE),
        )  # fmt: skip
        first_logits = logits.at(np.arange(count), candidates)

    def views_now() -> list[View]:
        return [
            view_without(features, label, label_confidence, fold == one, classes) for one in range(NUM_FOLDS)
        ]

    with bar("telling which labels to believe", _ROUNDS * count, shown=count > _SHOWN) as advance:
        for _ in range(_ROUNDS):
            against = np.full(count, np.nan)
            for one, view in enumerate(views_now()):
                inside = np.flatnonzero(fold == one)
                if candidates is not None and first_logits is not None:
                    against[inside] = _against_candidates(
                        view, features[inside], label[inside], candidates[inside], first_logits[inside]
                    )
                else:
                    for part in row_slices(len(inside), 12 * classes, _BLOCK_BYTES):
                        rows = inside[part]
                        against[rows] = _against(trajectory, view, features[rows], label[rows], rows)
                advance(len(inside))
            guess = 1 / (1 + np.exp(np.clip(np.nan_to_num(against), -30, 30)))
            label_confidence = np.where(speaks, np.maximum(guess, _LEAST_TRUST), 0.0)
    views = views_now()
    found, lists, also = [], None, np.full((count, BY_PROTOTYPE), -1)
    for one, view in enumerate(views):
        inside = np.flatnonzero(fold == one)
        seen = view.transform(features)
        # the views differ so little that the lists of the first serve all
        lists = lists_of(seen, speaks) if lists is None else lists
        near = nearest(seen, speaks, NUM_NEIGHBOURS, inside, lists, keep_in, measure=not one)
        found.append((inside, near))
        if candidates is not None:
            also[inside] = most_similar(seen[inside], view.prototypes, BY_PROTOTYPE)
    neighbours = joined(count, found)
    if min(neighbours.recall, plain_neighbours.recall) < 1:
        approximations.insert(0, (
            f"There are too many samples to compare all with all: of the nearest neighbours "
            f"{100 * plain_neighbours.recall:.1f} % were found by plain similarity and {100 * neighbours.recall:.1f} % "
            "by the judge's own, measured on a sample."
        ))  # fmt: skip
    if candidates is not None:
        candidates = together(candidates, _labels_of(neighbours, label), also)
    return ReferenceSet(
        label=label,
        label_confidence=label_confidence,
        camera=np.unique(np.asarray(camids, str), return_inverse=True)[1],
        known=known,
        features=features,
        plain=plain,
        plain_neighbours=plain_neighbours,
        fold=fold,
        views=views,
        neighbours=neighbours,
        candidates=candidates,
        log_total=log_total,
        approximations=tuple(approximations),
    )


def _labels_of(neighbours: Neighbours, label: np.ndarray) -> np.ndarray:
    """The labels [N, k] of neighbours; -1 where there is none."""
    return np.where(neighbours.index >= 0, label[neighbours.index], -1)


def _against_candidates(
    view: View, features: np.ndarray, label: np.ndarray, candidates: np.ndarray, logits: np.ndarray
) -> np.ndarray:
    """As :func:`_against`, of the candidates [n, M] with their logits [n, M]."""
    like = similarities(view.transform(features), view.prototypes, candidates)
    # what a soft label is divided by is the same for all of a sample's classes
    score = np.where(candidates >= 0, SOFT_WEIGHT * logits + LIKENESS_WEIGHT * like, -np.inf)
    place, own = np.arange(len(label)), place_of(candidates, label)
    given = score[place, own].copy()
    score[place, own] = -np.inf
    return score.max(1) - given


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
