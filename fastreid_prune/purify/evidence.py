"""All that one scored run knows of each sample's label, as numbers that can be weighed against each other."""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.purify.discriminant import class_sums, unit
from fastreid_prune.purify.neighbours import vote_weights, votes
from fastreid_prune.purify.reference_set import LIKENESS_WEIGHT, SOFT_WEIGHT, ReferenceSet
from fastreid_prune.purify.soft_labels import log_softmax, rows_of
from fastreid_prune.trajectory import Trajectory
from fastreid_prune.trajectory.blocks import row_slices

# how far a neighbour's similarity may be below the nearest one's before its vote is worth 1/e
VOTE_WIDTH = 0.1
OTHER_CAMERA = 1.5
# what an identity that got no vote still has
LEAST_VOTE = 0.02
# nats of the votes, in the choice of an identity, beside the reference's weights
VOTE_WEIGHT = 1.0
_BLOCK_BYTES = 32 << 20

# what is weighed for a verdict, the first ones also two by two; benchmarks/purification.py ablation says what
# each piece adds
PAIRED = ("soft", "likeness", "given_likeness", "suggested_vote", "prototype_z", "local_density", "isolation")
WEIGHED = (*PAIRED, "likeness_margin", "margin", "agreed", "second", "near")
# all of them tell whether the suggested identity is the right one
COLUMNS = (*WEIGHED, "sure", "rival", "given_vote")


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
        suggested, runner_up: [N] int64, the most likely classes besides the given one.
        seen: [N] bool, samples with all the evidence.
    """

    columns: np.ndarray
    suggested: np.ndarray
    runner_up: np.ndarray
    seen: np.ndarray


def weigh(
    trajectory: Trajectory,
    reference: ReferenceSet,
    given: np.ndarray,
    rows: np.ndarray | None = None,
    barred: np.ndarray | None = None,
) -> Evidence:
    """The evidence on some samples, each as if it were labelled ``given``.

    Args:
        trajectory: of the run.
        reference: what to judge against.
        given: [n] int64, the label in question of each.
        rows: [n] int64, which samples; all by default.
        barred: [n] int64, a class that is not to be suggested (the sample was trained under it by our doing).
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
    for fold, view in enumerate(reference.views):
        inside = np.flatnonzero(reference.fold[rows] == fold)
        for part in row_slices(len(inside), 24 * classes, _BLOCK_BYTES):
            at = inside[part]
            some, place, own = rows[at], np.arange(len(at)), given[at]
            soft = log_softmax(rows_of(trajectory.mean_logits, some))
            share = votes(weights[some], reference.neighbours.index[some], reference.label, classes)
            vote = np.log(share + LEAST_VOTE)
            like = view.similarities(reference.features[some])
            together = SOFT_WEIGHT * soft + VOTE_WEIGHT * vote + LIKENESS_WEIGHT * like
            near, fit = fits.best(
                reference.features[some], reference.label[some], reference.label_confidence[some]
            )
            together[place, own] = -np.inf
            soft_other = soft.copy()
            soft_other[place, own] = -np.inf
            if barred is not None:
                together[place, barred[at]] = -np.inf
                soft_other[place, barred[at]] = -np.inf
            best = _best_two(together)
            two[at] = best
            gap = together[place, best[:, 0]] - together[place, best[:, 1]]
            rival = best[:, 0]
            others = like.copy()
            others[place, own] = -1.0
            if barred is not None:
                others[place, barred[at]] = -1.0
            others = np.partition(others, -2, axis=1)[:, -2:]
            found = {
                "soft": soft_other.max(1) - soft[place, own],
                "likeness": like[place, rival] - like[place, own],
                "given_likeness": like[place, own],
                "suggested_vote": share[place, rival],
                "given_vote": share[place, own],
                "sure": np.exp(soft[place, rival]),
                "prototype_z": fit,
                "local_density": crowd[some],
                "isolation": reference.plain_neighbours.similarity[some][:, :10].mean(1),
                "agreed": (share**2).sum(1),
                "rival": like[place, rival],
                "likeness_margin": others[:, 1] - others[:, 0],
                "margin": np.log1p(gap),
                "second": others[:, 0],
                "near": near,
            }
            columns[at] = np.stack([found[name] for name in COLUMNS], axis=1)
    return Evidence(columns, two[:, 0], two[:, 1], np.isfinite(columns).all(1) & reference.known[rows])


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

    def best(
        self, raw: np.ndarray, label: np.ndarray, label_confidence: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The highest similarity, and the highest one in standard deviations, [n] each."""
        features = unit(raw)
        like = features @ unit(self.sums).T
        own = _own_similarity(features, label, label_confidence, self.sums)
        like[np.arange(len(like)), label] = np.where(np.isfinite(own), own, -1.0)
        return like.max(1), ((like - self.mean) / self.deviation).max(1)


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
