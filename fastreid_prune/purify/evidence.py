"""All that one scored run knows of each sample's label, as numbers that can be weighed against each other."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fastreid_prune.io.bars import bar
from fastreid_prune.io.work import Work
from fastreid_prune.purify.candidate_classes import place_of, similarities, votes_for
from fastreid_prune.purify.discriminant import NUM_FOLDS, View, class_sums, unit
from fastreid_prune.purify.neighbours import vote_weights, votes
from fastreid_prune.purify.reference_set import LIKENESS_WEIGHT, SOFT_WEIGHT, ReferenceSet
from fastreid_prune.purify.soft_labels import log_softmax, rows_of
from fastreid_prune.trajectory import Trajectory
from fastreid_prune.trajectory.blocks import Rows, row_slices
from fastreid_prune.trajectory.factors import FactoredLogits

# how far a neighbour's similarity may be below the nearest one's before its vote is worth 1/e
VOTE_WIDTH = 0.1
OTHER_CAMERA = 1.5
# what an identity that got no vote still has
LEAST_VOTE = 0.02
# nats of the votes, in the choice of an identity, beside the reference's weights
VOTE_WEIGHT = 1.0
_BLOCK_BYTES = 32 << 20
# samples from which on a progress bar is worth while
_SHOWN = 10_000

# what is weighed for a verdict, the first ones also two by two; benchmarks/purification.py ablation says what
# each piece adds
PAIRED = ("soft", "likeness", "given_likeness", "suggested_vote", "prototype_z", "local_density", "isolation")
WEIGHED = (*PAIRED, "likeness_margin", "agreed", "second", "near")
# all of them tell whether the suggested identity is the right one
COLUMNS = (*WEIGHED, "margin", "sure", "rival", "given_vote")


@dataclass(frozen=True)
class Evidence:
    """What is known of N samples.

    Attributes:
        columns: [N, 15] float64, named in ``COLUMNS``.

            Against the label: ``soft`` (log probability in the soft label of the best other class minus that of
            the given one, nats), ``likeness`` (discriminant similarity to the suggested identity minus that to
            the given one), ``given_likeness`` (the latter), ``suggested_vote`` and ``given_vote`` (shares of the
            neighbours' votes), ``sure`` (the soft label's probability of the suggested one).

            For any identity at all: ``prototype_z`` (similarity to the best prototype, measured by how like its
            prototype the class's own images are, in standard deviations), ``local_density`` (similarity to the
            neighbours minus that usual among them), ``isolation`` (similarity to the neighbours, low where a sample
            stands alone), ``near`` (plain similarity to the best prototype).

            For the suggested identity: ``rival`` (discriminant similarity to it), ``likeness_margin`` (by how much
            the most similar identity besides the given one is ahead of the next), ``second`` (similarity to that
            next one), ``margin`` (ln(1 + by how many nats the suggested one is ahead of the runner-up)), ``agreed``
            (the chance that two of the neighbours' votes are for the same identity).
        given: [N] int64, the label in question.
        suggested, runner_up: [N] int64, the most likely classes besides the given one.
        seen: [N] bool, samples with all the evidence.
    """

    columns: np.ndarray
    given: np.ndarray
    suggested: np.ndarray
    runner_up: np.ndarray
    seen: np.ndarray


def weigh(
    trajectory: Trajectory,
    reference: ReferenceSet,
    given: np.ndarray,
    rows: np.ndarray | None = None,
    barred: np.ndarray | None = None,
    work: Work | None = None,
    name: str = "",
) -> Evidence:
    """The evidence on some samples, each as if it were labelled ``given``.

    Args:
        trajectory: of the run.
        reference: what to judge against.
        given: [n] int64, the label in question of each.
        rows: [n] int64, which samples; all by default.
        barred: [n] int64, a class that is not to be suggested (the sample was trained under it by our doing).
        work: how it is done.
        name: of this step of the work; "" keeps nothing.
    """
    rows = np.arange(trajectory.num_samples) if rows is None else rows
    classes = trajectory.num_classes
    columns = np.full((len(rows), len(COLUMNS)), np.nan)
    two = np.zeros((len(rows), 2), np.int64)
    fits = _Fits.of(reference, classes)
    crowd = _crowd(reference)
    weights = vote_weights(
        reference.neighbours,
        reference.camera,
        reference.label_confidence,
        width=VOTE_WIDTH,
        other_camera=OTHER_CAMERA,
    )
    # of a candidate there is more to hold: what is said of it comes from all over the set
    width = 24 * classes if reference.candidates is None else 40 * reference.candidates.shape[1]
    blocks = [
        (fold, inside[part])
        for fold, inside in enumerate(np.flatnonzero(reference.fold[rows] == one) for one in range(NUM_FOLDS))
        for part in row_slices(len(inside), width, _BLOCK_BYTES)
    ]
    common = trajectory.mean_logits, reference, fits, weights, crowd, given, rows, barred
    found = (work or Work()).blocks(name, _weigh, common, blocks)
    with bar("weighing the evidence", len(rows), shown=len(rows) > _SHOWN) as advance:
        for (_, at), (some, best) in zip(blocks, found, strict=True):
            columns[at], two[at] = some, best
            advance(len(at))
    return Evidence(
        columns, np.asarray(given), two[:, 0], two[:, 1], np.isfinite(columns).all(1) & reference.known[rows]
    )


def _weigh(
    logits: Rows,
    reference: ReferenceSet,
    fits: "_Fits",
    weights: np.ndarray,
    crowd: np.ndarray,
    given: np.ndarray,
    rows: np.ndarray,
    barred: np.ndarray | None,
    block: tuple[int, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Of a fold and places among ``rows``: the columns, and the two most likely classes besides the given one."""
    fold, at = block
    some = rows[at]
    look = _of_all_classes if reference.candidates is None else _of_candidates
    found = look(logits, reference, reference.views[fold], fits, weights[some], some)
    return _weighed(found, given[at], None if barred is None else barred[at], crowd[some], reference, some)


@dataclass(frozen=True)
class _Looked:
    """What n samples have to do with M classes each.

    Attributes:
        classes: [n, M] int32, -1 fills up; None where they are all C.
        soft: [n, M], log probabilities of the soft label.
        share: [n, M], of the neighbours' votes.
        like: [n, M], discriminant similarity.
        near, fit: [n], the highest plain similarity to any class, and the highest in standard deviations.
    """

    classes: np.ndarray | None
    soft: np.ndarray
    share: np.ndarray
    like: np.ndarray
    near: np.ndarray
    fit: np.ndarray

    def place(self, wanted: np.ndarray) -> np.ndarray:
        """[n] the column of a class [n]."""
        return wanted if self.classes is None else place_of(self.classes, wanted)


def _of_all_classes(
    logits: Rows,
    reference: ReferenceSet,
    view: View,
    fits: "_Fits",
    weights: np.ndarray,
    rows: np.ndarray,
) -> _Looked:
    soft = log_softmax(rows_of(logits, rows))
    share = votes(weights, reference.neighbours.index[rows], reference.label, logits.shape[1])
    like = view.similarities(reference.features[rows])
    near, fit = fits.best(reference.features[rows], reference.label[rows], reference.label_confidence[rows])
    return _Looked(None, soft, share, like, near, fit)


def _of_candidates(
    logits: Rows,
    reference: ReferenceSet,
    view: View,
    fits: "_Fits",
    weights: np.ndarray,
    rows: np.ndarray,
) -> _Looked:
    assert reference.candidates is not None and reference.log_total is not None
    assert isinstance(logits, FactoredLogits)
    classes, features = reference.candidates[rows], reference.features[rows]
    there = classes >= 0
    soft = logits.at(rows, classes) - reference.log_total[rows, None]
    soft = np.where(there, soft, -np.inf).astype(np.float32)
    share = votes_for(weights, reference.label[reference.neighbours.index[rows]], classes)
    like = similarities(view.transform(features), view.prototypes, classes)
    near, fit = fits.best(features, reference.label[rows], reference.label_confidence[rows], classes)
    return _Looked(classes, soft, share, like, near, fit)


def _weighed(
    found: _Looked,
    given: np.ndarray,
    barred: np.ndarray | None,
    crowd: np.ndarray,
    reference: ReferenceSet,
    rows: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The columns [n, 15] of the evidence, and the two most likely classes [n, 2] besides the given one."""
    soft, share, like, place = found.soft, found.share, found.like, np.arange(len(rows))
    own = found.place(given)
    vote = np.log(share + LEAST_VOTE)
    together = SOFT_WEIGHT * soft + VOTE_WEIGHT * vote + LIKENESS_WEIGHT * like
    together[place, own] = -np.inf
    soft_other, others = soft.copy(), like.copy()
    soft_other[place, own], others[place, own] = -np.inf, -1.0
    if barred is not None:
        bar_place = found.place(barred)
        together[place, bar_place], soft_other[place, bar_place] = -np.inf, -np.inf
        others[place, bar_place] = -1.0
    best = _best_two(together)
    rival = best[:, 0]
    gap = together[place, rival] - together[place, best[:, 1]]
    others = np.partition(others, -2, axis=1)[:, -2:]
    pieces = {
        "soft": soft_other.max(1) - soft[place, own],
        "likeness": like[place, rival] - like[place, own],
        "given_likeness": like[place, own],
        "suggested_vote": share[place, rival],
        "given_vote": share[place, own],
        "sure": np.exp(soft[place, rival]),
        "prototype_z": found.fit,
        "local_density": crowd,
        "isolation": reference.plain_neighbours.similarity[rows][:, :10].mean(1),
        "agreed": (share**2).sum(1),
        "rival": like[place, rival],
        "likeness_margin": others[:, 1] - others[:, 0],
        "margin": np.log1p(gap),
        "second": others[:, 0],
        "near": found.near,
    }
    columns = np.stack([pieces[name] for name in COLUMNS], axis=1)
    return columns, best if found.classes is None else np.take_along_axis(found.classes, best, 1)


@dataclass(frozen=True)
class _Fits:
    """How like their prototype the images of each class are, in plain similarity.

    Attributes:
        sums: [C, D], of the trusted features.
        mean, deviation: [C], of the similarity of a class's own images to the rest of it.
    """

    sums: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, reference: ReferenceSet, classes: int) -> "_Fits":
        features = reference.plain
        sums = class_sums(features, reference.label, reference.label_confidence, classes)
        own = _own_similarity(features, reference.label, reference.label_confidence, sums)
        weight = reference.label_confidence * np.isfinite(own)
        own = np.nan_to_num(own)
        overall = np.average(own, weights=weight + 1e-9)
        spread = np.average((own - overall) ** 2, weights=weight + 1e-9)
        count = np.bincount(reference.label, weight, classes)
        # a class of few images is described by all classes together, as if by four more images
        mean = (np.bincount(reference.label, weight * own, classes) + 4 * overall) / (count + 4)
        square = np.bincount(reference.label, weight * (own - mean[reference.label]) ** 2, classes)
        return cls(sums, mean, np.sqrt((square + 4 * spread) / (count + 4)) + 0.02)

    @cached_property
    def prototypes(self) -> np.ndarray:
        """[C, D] float32, of length 1."""
        return unit(self.sums)

    def best(
        self,
        raw: np.ndarray,
        label: np.ndarray,
        label_confidence: np.ndarray,
        classes: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The highest similarity, and the highest one in standard deviations, [n] each, of all or of [n, M] classes."""
        features = unit(raw)
        own = _own_similarity(features, label, label_confidence, self.sums)
        own = np.where(np.isfinite(own), own, -1.0)
        if classes is None:
            like = features @ self.prototypes.T
            like[np.arange(len(like)), label] = own
            return like.max(1), ((like - self.mean) / self.deviation).max(1)
        like = similarities(features, self.prototypes, classes)
        like[np.arange(len(like)), place_of(classes, label)] = own
        z = np.where(classes >= 0, (like - self.mean[classes]) / self.deviation[classes], -np.inf)
        return like.max(1), z.max(1)


def _own_similarity(
    features: np.ndarray, label: np.ndarray, label_confidence: np.ndarray, sums: np.ndarray
) -> np.ndarray:
    """[n] the similarity of each sample to the others of its class; NaN where there are none."""
    result = np.full(len(features), np.nan)
    for part in row_slices(len(features), 4 * features.shape[1], _BLOCK_BYTES):
        rest = sums[label[part]] - features[part] * label_confidence[part, None].astype(np.float32)
        length = np.linalg.norm(rest, axis=1)
        similarity = np.einsum("nd,nd->n", features[part], rest) / np.maximum(length, 1e-6)
        result[part] = np.where(length > 1e-2, similarity, np.nan)
    return result


def _crowd(reference: ReferenceSet) -> np.ndarray:
    near = reference.plain_neighbours.similarity[:, :10].mean(1)
    return near - near[reference.plain_neighbours.index[:, :10]].mean(1)


def _best_two(values: np.ndarray) -> np.ndarray:
    two = np.argpartition(-values, 1, axis=1)[:, :2]
    swap = np.take_along_axis(values, two, 1)
    swap = swap[:, 0] < swap[:, 1]
    two[swap] = two[swap][:, ::-1]
    return two
