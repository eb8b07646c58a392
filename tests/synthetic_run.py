"""A scored run without images: identities are directions in feature space, and the truth is known."""

from dataclasses import dataclass

import numpy as np
import torch

from fastreid_prune.lab.testbed.groups import move_tracklets
from fastreid_prune.purify.injection_plan import DEFAULT_CLIPS, plan_calibration
from fastreid_prune.scored_run.injected import COMPOSED_FOLDER, record_of
from fastreid_prune.trajectory import LogitRecorder, Samples, Trajectory

FOLDER = "Market-1501-v15.09.15/bounding_box_train"


@dataclass(frozen=True)
class SyntheticRun:
    """A trajectory and what is true of the M samples of its data set, which are its first M rows.

    Attributes:
        trajectory: of M + K rows, the last K of them composed outliers.
        given: [M] str, the identities that the data set gives.
        shown: [M] str, who is shown; "" for outliers.
        wrong: [M] bool, the data set's label is wrong.
        outlier: [M] bool, the image shows none of the identities.
        switched: [M] bool, trained under another label than the data set's.
    """

    trajectory: Trajectory
    given: np.ndarray
    shown: np.ndarray
    wrong: np.ndarray
    outlier: np.ndarray
    switched: np.ndarray


def synthetic_run(
    samples: int = 1200,
    identities: int = 50,
    *,
    wrong: float = 0.05,
    outliers: float = 0.03,
    tracklets: float = 0.0,
    planted: bool = True,
    clips: bool = False,
    signal: float = 1.0,
    seed: int = 0,
    epochs: int = 4,
    size: int = 48,
) -> SyntheticRun:
    """Make one: features, and logits that know the same and learn the label trained under a little by heart.

    Args:
        samples: M.
        identities: C.
        wrong, outliers: shares of the data set.
        tracklets: share of the data set whose person is given another number in one camera.
        planted: whether errors are planted into the run on top, as a scoring run does.
        clips: whether whole clips are among them.
        signal: how far what a sample shows tells in features and logits; 0: not at all.
        seed: of everything.
        epochs: T.
        size: D.
    """
    rng = np.random.default_rng(seed)
    names = np.array([f"market1501_{number}" for number in range(1, identities + 1)], object)
    person = rng.permutation(samples) % identities
    camera = rng.integers(6, size=samples)
    kind = rng.permutation(samples)
    is_wrong = kind < round(wrong * samples)
    is_outlier = (kind >= samples - round(outliers * samples)) & ~is_wrong
    given = np.where(is_wrong, (person + rng.integers(1, identities, samples)) % identities, person)
    if tracklets:
        moved = move_tracklets(person, camera, kind >= 0, tracklets, np.random.default_rng([seed, 1]))
        is_wrong |= moved != person
        given = np.where(moved != person, moved, given)
    prototypes = _directions(rng, identities, size)
    content = prototypes[person]
    content[is_outlier] = _directions(rng, int(is_outlier.sum()), size)

    files = [f"{FOLDER}/{given[i] + 1:04}_c{camera[i] + 1}s1_{i:06}_00.jpg" for i in range(samples)]
    trained, record = given.copy(), None
    if planted:
        plan = plan_calibration(names[given], camera.astype(str), clips=DEFAULT_CLIPS if clips else 0.0)
        position = {name: index for index, name in enumerate(names)}
        for row, pid in plan.trained_as.items():
            trained[row] = position[pid]
        made = [_composed(rng, content, one) for one in plan.composed]
        content = np.concatenate([content, np.stack(made)])
        camera = np.r_[camera, camera[[one.first for one in plan.composed]]]
        trained = np.r_[trained, [position[one.pid] for one in plan.composed]]
        kinds = {f"{COMPOSED_FOLDER}/{one.kind}_{i:05}.png": one.kind for i, one in enumerate(plan.composed)}
        was = {row: str(names[given[row]]) for row in plan.trained_as}
        record = record_of(files, was, kinds, [clip.rows for clip in plan.clips])
        files += list(kinds)

    offsets = 0.5 * _directions(rng, 6, size)
    features = signal * content + offsets[camera] + rng.normal(scale=0.55 / size**0.5, size=content.shape)
    named = Samples.from_items(files, list(names[trained]), [f"market1501_{one}" for one in camera])
    recorder = _recorded(rng, signal * content @ prototypes.T, features, named, epochs)
    trajectory = recorder.trajectory({"dataset": ["Market1501"], "mode": "eval", "seed": seed})
    if record is not None:
        trajectory.meta["calibration"] = record
    return SyntheticRun(
        trajectory,
        names[given],
        np.where(is_outlier, "", names[person]).astype(object),
        is_wrong,
        is_outlier,
        trained[:samples] != given,
    )


def _recorded(
    rng: np.random.Generator, like: np.ndarray, features: np.ndarray, named: Samples, epochs: int
) -> LogitRecorder:
    count, classes = like.shape
    order = [int(name.split("_")[1]) - 1 for name in named.class_names]
    label = torch.as_tensor(named.label)
    recorder = LogitRecorder(count, classes, samples=named)
    for epoch in range(epochs):
        known = 12 * like[:, order] * (epoch + 1) / epochs + rng.normal(size=like.shape)
        logits = torch.as_tensor(known, dtype=torch.float32)
        logits += 3.0 * epoch / epochs * torch.nn.functional.one_hot(label, classes)
        last = torch.as_tensor(features, dtype=torch.float32)
        recorder.update(torch.arange(count), logits, label, features=last)
        recorder.end_epoch()
    return recorder


def _directions(rng: np.random.Generator, count: int, size: int) -> np.ndarray:
    rows = rng.normal(size=(count, size))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _composed(rng: np.random.Generator, content: np.ndarray, one) -> np.ndarray:
    """Two people are the mean of both; anything else looks like nobody."""
    if one.kind == "two_people":
        both = content[one.first] + content[one.second]
        return both / np.linalg.norm(both)
    return _directions(rng, 1, content.shape[1])[0]
