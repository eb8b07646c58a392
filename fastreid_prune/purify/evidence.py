"""All that one scored run knows of each sample's label, as numbers that can be weighed against each other."""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.purify.features import comparable
from fastreid_prune.purify.neighbours import Neighbours, nearest, vote_weights, votes
from fastreid_prune.purify.prototypes import class_sums, similarities
from fastreid_prune.trajectory import Trajectory
from fastreid_prune.trajectory.blocks import row_slices

NUM_NEIGHBOURS = 20
# how far a neighbour's similarity may be below the nearest one's before its vote is worth 1/e
VOTE_WIDTH = 0.1
OTHER_CAMERA = 2.0
# what an identity that got no vote still has
LEAST_VOTE = 0.02
# what similarity to prototypes weighs against nats of the soft label and of the votes
PROTOTYPE_WEIGHT = 8.0
ROUNDS = 3
_BLOCK_BYTES = 64 << 20

COLUMNS = ("soft", "vote", "prototype", "late", "near", "alone", "spread", "entropy")


@dataclass(frozen=True)
class Evidence:
    """What is known of N samples.

    Attributes:
        columns: [N, 8] float64, named in ``COLUMNS``. Against the label: ``soft`` (soft label: log probability
            of the best other class minus that of the given one, in nats), ``vote`` (the same of the
            neighbours' votes), ``prototype`` (similarity to the suggested identity's prototype minus that to
            the given one's), ``late`` (the margin of the given logit in the last third of the epochs, turned
            round). For an outlier: ``near`` (similarity to the best prototype), ``alone`` (mean similarity to
            the nearest neighbours), ``spread`` (entropy of the votes and the prototypes together, in nats),
            ``entropy`` (of the soft label, nats).
        suggested, runner_up: [N] int64, the most likely classes besides the given one.
        gap: [N] float64, by how much ``suggested`` is ahead of ``runner_up``, in nats.
        seen: [N] bool, samples with any evidence.
    """

    columns: np.ndarray
    suggested: np.ndarray
    runner_up: np.ndarray
    gap: np.ndarray
    seen: np.ndarray

    def take(self, rows: np.ndarray) -> "Evidence":
        """The evidence on some samples."""
        return Evidence(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Scene:
    """What all samples are judged against: features, neighbours and whom to believe.

    Attributes:
        label: [N] int64, the class that each sample votes for.
        voter: [N] bool.
        features: [N, D] float32, comparable.
        neighbours: of each sample among the voters.
        trust: [N] float64, the probability that ``label`` is right.
    """

    label: np.ndarray
    voter: np.ndarray
    features: np.ndarray
    neighbours: Neighbours
    trust: np.ndarray
    camera: np.ndarray


def gather(
    trajectory: Trajectory, label: np.ndarray | None = None, voter: np.ndarray | None = None
) -> tuple[Scene, Evidence]:
    """Weigh the samples against each other, a few rounds, so that those who are doubted count less.

    Args:
        trajectory: of a scored run, with features.
        label: [N] int64, the labels that the samples vote for, where not those they were trained under.
        voter: [N] bool, samples that may speak for their label; all by default.
    """
    count = trajectory.num_samples
    label = trajectory.labels if label is None else label
    camids = np.full(count, "") if trajectory.samples is None else trajectory.samples.camid
    features = comparable(trajectory.features, camids)
    known = np.isfinite(features).all(1) & (trajectory.epochs.visits.sum(0) > 0)
    voter = known if voter is None else voter & known
    features[~known] = 0
    camera = np.unique(np.asarray(camids, str), return_inverse=True)[1]
    neighbours = nearest(features, voter, NUM_NEIGHBOURS)
    scene = Scene(label, voter, features, neighbours, voter.astype(float), camera)
    for _ in range(ROUNDS):
        evidence = weigh(trajectory, scene, label)
        scene = Scene(label, voter, features, neighbours, np.where(voter, _trust(evidence), 0.0), camera)
    return scene, weigh(trajectory, scene, label)


def weigh(
    trajectory: Trajectory,
    scene: Scene,
    given: np.ndarray,
    rows: np.ndarray | None = None,
    barred: np.ndarray | None = None,
) -> Evidence:
    """The evidence on some samples, each as if it were labelled ``given``.

    Args:
        trajectory: of the run.
        scene: what to judge against.
        given: [n] int64, the label in question of each.
        rows: [n] int64, which samples; all by default.
        barred: [n] int64, a class that is not to be suggested (it was trained under it by our doing).
    """
    rows = np.arange(trajectory.num_samples) if rows is None else rows
    classes = trajectory.num_classes
    columns = np.full((len(rows), len(COLUMNS)), np.nan)
    best, second = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    gap = np.zeros(len(rows))
    sums = class_sums(scene.features, scene.label, scene.trust, classes)
    weights = vote_weights(
        scene.neighbours, scene.camera, scene.trust, width=VOTE_WIDTH, other_camera=OTHER_CAMERA
    )
    late = _late_margin(trajectory)
    for part in row_slices(len(rows), 16 * classes, _BLOCK_BYTES):
        some = rows[part]
        place, own = np.arange(len(some)), given[part]
        soft = _log_softmax(_rows_of(trajectory.mean_logits, some))
        vote = np.log(votes(weights[some], scene.neighbours.index[some], scene.label, classes) + LEAST_VOTE)
        like = similarities(scene.features[some], scene.label[some], scene.trust[some], sums)
        near = like.max(1)
        together = soft + vote + PROTOTYPE_WEIGHT * like
        shape = _log_softmax(vote + PROTOTYPE_WEIGHT * like)
        together[place, own] = -np.inf
        if barred is not None:
            together[place, barred[part]] = -np.inf
            soft[place, barred[part]] = -np.inf
        two = np.argpartition(-together, 1, axis=1)[:, :2]
        swap = together[place, two[:, 0]] < together[place, two[:, 1]]
        two[swap] = two[swap][:, ::-1]
        best[part], second[part] = two.T
        gap[part] = together[place, two[:, 0]] - together[place, two[:, 1]]
        rival = two[:, 0]
        other_soft = soft.copy()
        other_soft[place, own] = -np.inf
        columns[part] = np.stack(
            [
                other_soft.max(1) - soft[place, own],
                vote[place, rival] - vote[place, own],
                like[place, rival] - like[place, own],
                late[some],
                near,
                scene.neighbours.similarity[some][:, : NUM_NEIGHBOURS // 2].mean(1),
                -(np.exp(shape) * shape).sum(1),
                _entropy(soft),
            ],
            axis=1,
        )
    seen = np.isfinite(columns).all(1)
    return Evidence(columns, best, second, gap, seen)


def _trust(evidence: Evidence) -> np.ndarray:
    """A first guess at the probability that a label is right: evidence against it on one scale."""
    against = evidence.columns[:, 0] + evidence.columns[:, 1] + PROTOTYPE_WEIGHT * evidence.columns[:, 2]
    return np.nan_to_num(1 / (1 + np.exp(np.clip(against, -30, 30))))


def _late_margin(trajectory: Trajectory) -> np.ndarray:
    """[N] the mean over the last third of the epochs of (best other - given) logit; all epochs where unseen."""
    epochs = trajectory.epochs
    margin = (epochs.best_other_logit - epochs.given_logit).astype(np.float64)
    visits = np.where(np.isfinite(margin), epochs.visits, 0)
    margin = np.nan_to_num(margin)
    result = np.full(margin.shape[1], np.nan)
    for start in (0, len(margin) - max(1, len(margin) // 3)):
        number = visits[start:].sum(0)
        mean = (margin[start:] * visits[start:]).sum(0) / np.maximum(number, 1)
        result = np.where(number > 0, mean, result)
    return result


def _rows_of(logits, rows: np.ndarray) -> np.ndarray:
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        return np.array(logits[int(rows[0]) : int(rows[-1]) + 1], dtype=np.float32)
    return np.concatenate([np.array(logits[int(row) : int(row) + 1], dtype=np.float32) for row in rows])


def _log_softmax(values: np.ndarray) -> np.ndarray:
    shifted = values - values.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


def _entropy(log_probability: np.ndarray) -> np.ndarray:
    p = np.exp(log_probability)
    return -(p * np.where(p > 0, log_probability, 0)).sum(1)
