"""What all samples are judged against: each other, those who are doubted counting less."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fastreid_prune.io.bars import bar
from fastreid_prune.io.work import Work
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
from fastreid_prune.purify.neighbours import Neighbours, joined, lists_of, nearest
from fastreid_prune.purify.soft_labels import log_softmax, rows_of
from fastreid_prune.scores.top_classes import too_many, top_classes
from fastreid_prune.trajectory import Trajectory
from fastreid_prune.trajectory.blocks import Rows, row_slices
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


def build_reference_set(
    trajectory: Trajectory, label: np.ndarray, speaks: np.ndarray, work: Work | None = None
) -> ReferenceSet:
    """Find out, in a few rounds, who is to be believed, and who is whose neighbour.

    Args:
        trajectory: of a scored run, with features.
        label: [N] int64, the class that each sample speaks for.
        speaks: [N] bool, samples that have a say.
        work: how it is done.
    """
    work = work or Work()
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
    plain_neighbours = nearest(
        plain, speaks, NUM_NEIGHBOURS // 2, np.arange(count), work=work, name="neighbours"
    )
    logits = trajectory.mean_logits
    candidates = first_logits = log_total = None
    approximations: list[str] = []
    if isinstance(logits, FactoredLogits) and too_many(logits):
        top = top_classes(trajectory, work.pool)
        log_total = top.log_total
        approximations.append(top.sentence)
        prototypes = unit(class_sums(plain, label, label_confidence, classes))
        candidates = together(
            label[:, None], np.asarray(trajectory.labels)[:, None],
            top.classes[:, :BY_SOFT_LABEL], _labels_of(plain_neighbours, label),
            most_similar(plain, prototypes, BY_PROTOTYPE, work),
        )  # fmt: skip
        first_logits = logits.at(np.arange(count), candidates)

    def views_now() -> list[View]:
        return [
            view_without(features, label, label_confidence, fold == one, classes) for one in range(NUM_FOLDS)
        ]

    def against_now(advance: Callable[[int], None]) -> np.ndarray:
        against = np.full(count, np.nan)
        for one, view in enumerate(views_now()):
            inside = np.flatnonzero(fold == one)
            width = 12 * classes if candidates is None else 40 * candidates.shape[1]
            blocks = [inside[part] for part in row_slices(len(inside), width, _BLOCK_BYTES)]
            common = trajectory.mean_logits, view, features, label, candidates, first_logits
            for rows, (found,) in zip(blocks, work.blocks("", _against, common, blocks), strict=True):
                against[rows] = found
                advance(len(rows))
        return against

    def believe() -> tuple[np.ndarray]:
        nonlocal label_confidence
        with bar("telling which labels to believe", _ROUNDS * count, shown=count > _SHOWN) as advance:
            for _ in range(_ROUNDS):
                guess = 1 / (1 + np.exp(np.clip(np.nan_to_num(against_now(advance)), -30, 30)))
                label_confidence = np.where(speaks, np.maximum(guess, _LEAST_TRUST), 0.0)
        return (label_confidence,)

    (label_confidence,) = work.step("believed", believe)
    views = views_now()
    found, lists, also = [], None, np.full((count, BY_PROTOTYPE), -1)
    for one, view in enumerate(views):
        inside = np.flatnonzero(fold == one)
        seen = view.transform(features)
        # the views differ so little that the lists of the first serve all
        lists = lists_of(seen, speaks) if lists is None else lists
        near = nearest(
            seen, speaks, NUM_NEIGHBOURS, inside, lists, work, f"neighbours_by_view_{one}", measure=not one
        )
        found.append((inside, near))
        if candidates is not None:
            also[inside] = most_similar(seen[inside], view.prototypes, BY_PROTOTYPE, work)
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


def _against(
    logits: Rows,
    view: View,
    features: np.ndarray,
    label: np.ndarray,
    candidates: np.ndarray | None,
    candidate_logits: np.ndarray | None,
    rows: np.ndarray,
) -> tuple[np.ndarray]:
    """[n] nats by which another class is ahead of the one spoken for, by soft label and likeness, of ``rows`` [n]."""
    place, own = np.arange(len(rows)), label[rows]
    if candidates is None or candidate_logits is None:
        score = SOFT_WEIGHT * log_softmax(rows_of(logits, rows))
        score += LIKENESS_WEIGHT * view.similarities(features[rows])
    else:
        some = candidates[rows]
        like = similarities(view.transform(features[rows]), view.prototypes, some)
        # what a soft label is divided by is the same for all of a sample's classes
        score = np.where(some >= 0, SOFT_WEIGHT * candidate_logits[rows] + LIKENESS_WEIGHT * like, -np.inf)
        own = place_of(some, own)
    given = score[place, own].copy()
    score[place, own] = -np.inf
    return (score.max(1) - given,)
