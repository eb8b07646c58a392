"""What the data set holds: every image with its name, its truth and its shot, before anything is drawn."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from fastreid_prune.datasets.truth import NO_ID, TruthRow
from fastreid_prune.lab.demo.cameras import CAMERAS
from fastreid_prune.lab.demo.identities import Identity, draw_identities
from fastreid_prune.lab.demo.outliers import KINDS, SHARES, as_outlier
from fastreid_prune.lab.demo.shots import Shot, draw_person, draw_place, draw_shot, draw_weather, near_copy

ROOT = "Market-1501-v15.09.15"
FOLDERS = {"train": "bounding_box_train", "query": "query", "gallery": "bounding_box_test"}
MAX_IDS = 1501  # Market-1501's numbers
ALIKE = 0.35  # share of the identities that have a look-alike
SEQUENCES = 3  # of each camera


@dataclass(frozen=True)
class PlannedImage:
    """An image to draw."""

    shot: Shot
    true_id: int
    given_id: int
    kind: str
    split: str
    sequence: int  # from 1
    frame: int  # unique in its camera and sequence
    copy_of: int | None = None  # index of the image of which this is a near-copy

    @property
    def file(self) -> str:
        """Path relative to the data sets' root folder, in Market-1501's pattern."""
        name = f"{self.given_id:04d}_c{self.shot.camera + 1}s{self.sequence}_{self.frame:06d}_00.jpg"
        return f"{ROOT}/{FOLDERS[self.split]}/{name}"


def plan_images(
    seed: int,
    train_ids: int,
    test_ids: int,
    wrong_labels: float,
    outliers: float,
) -> list[PlannedImage]:
    """Decide on every image; the same arguments give the same plan.

    Args:
        seed: of all chance.
        train_ids: identities for training.
        test_ids: others, for query and gallery.
        wrong_labels: share of the training images that get another training identity's number.
        outliers: share of the training images that show no or no single identity.

    Returns:
        Images; near-copies point to earlier ones.
    """
    people_rng, walks, test_rng, plant_rng = (
        np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(4)
    )
    people = draw_identities(train_ids + test_ids, people_rng, ALIKE)
    strangers = draw_identities(60, people_rng, ALIKE)
    numbers = people_rng.choice(np.arange(1, MAX_IDS + 1), train_ids + test_ids, replace=False)
    # families of look-alikes lie side by side, so that a family is for training or for testing, not both
    train, test = numbers[:train_ids], numbers[train_ids:]
    clock = _Clock(walks)
    images: list[PlannedImage] = []
    for number, person in zip(train, people[:train_ids], strict=True):
        _walk(images, person, int(number), strangers, clock, walks)
    images = _plant(images, people[:train_ids], wrong_labels, outliers, plant_rng)
    for number, person in zip(test, people[train_ids:], strict=True):
        images += _test_walk(person, int(number), strangers, clock, test_rng)
    images += _distractors(3 * test_ids, strangers, clock, test_rng)
    return images


def truth_rows(images: list[PlannedImage]) -> list[TruthRow]:
    """The rows of ``truth.csv`` for a plan."""
    return [
        TruthRow(
            file=image.file,
            true_id=image.true_id,
            kind=image.kind,
            given_id=image.given_id,
            camera=image.shot.camera + 1,
            split=image.split,
            near_copy_of="" if image.copy_of is None else images[image.copy_of].file,
        )
        for image in images
    ]


class _Clock:
    """Frame numbers: in each sequence of each camera, people pass one after the other."""

    def __init__(self, rng: np.random.Generator):
        self._rng = rng
        self._next: dict[tuple[int, int], int] = {}

    def later(self, camera: int, sequence: int, frames: int) -> int:
        """A frame number after all before, with room for ``frames`` of them."""
        start = self._next.get((camera, sequence), 0) + int(self._rng.integers(8, 60))
        self._next[camera, sequence] = start + frames
        return start


def _walk(
    images: list[PlannedImage],
    person: Identity,
    number: int,
    strangers: list[Identity],
    clock: _Clock,
    rng: np.random.Generator,
) -> None:
    """Append the images of a training identity: a few shots in each of some cameras, with near-copies."""
    count = int(rng.integers(3, 7))
    for camera in sorted(rng.choice(len(CAMERAS), count, replace=False)):
        sequence = int(rng.integers(1, SEQUENCES + 1))
        for shot in _track(person, int(camera), int(rng.integers(1, 4)), strangers, rng):
            copies = int(min(rng.geometric(1 / (1 + CAMERAS[camera].burst)) - 1, 6))
            frame = clock.later(int(camera), sequence, 1 + copies)
            source = len(images)
            images.append(PlannedImage(shot, number, number, "clean", "train", sequence, frame))
            for k in range(copies):
                copy = near_copy(shot, rng)
                images.append(
                    PlannedImage(copy, number, number, "near_copy", "train", sequence, frame + 1 + k, source)
                )


def _track(
    person: Identity, camera: int, count: int, strangers: list[Identity], rng: np.random.Generator
) -> list[Shot]:
    """Distinct shots of one passage: other poses and places, but one light and about one direction."""
    yaw, weather = float(rng.choice(CAMERAS[camera].yaws)), draw_weather(rng)
    shots = []
    for _ in range(count):
        framed = draw_person(person, CAMERAS[camera], yaw + float(rng.normal(0, 0.25)), rng)
        light = dataclasses.replace(
            weather,
            exposure=weather.exposure * float(np.exp(rng.normal(0, 0.08))),
            seed=int(rng.integers(2**31)),
        )
        shots.append(draw_shot(framed, camera, draw_place(rng), light, strangers, rng))
    return shots


def _test_walk(
    person: Identity,
    number: int,
    strangers: list[Identity],
    clock: _Clock,
    rng: np.random.Generator,
) -> list[PlannedImage]:
    """The images of a test identity: a query and two or three for the gallery in each camera."""
    images = []
    count = int(rng.integers(3, 6))
    for k, camera in enumerate(sorted(rng.choice(len(CAMERAS), count, replace=False))):
        sequence = int(rng.integers(1, SEQUENCES + 1))
        for j, shot in enumerate(_track(person, int(camera), int(rng.integers(3, 5)), strangers, rng)):
            split = "query" if j == 0 and k < 4 else "gallery"
            frame = clock.later(int(camera), sequence, 1)
            images.append(PlannedImage(shot, number, number, "clean", split, sequence, frame))
    return images


def _distractors(
    count: int, strangers: list[Identity], clock: _Clock, rng: np.random.Generator
) -> list[PlannedImage]:
    """Gallery images of nobody in question (number 0): strangers, and what a detector mistakes for people."""
    images = []
    for _ in range(count):
        camera = int(rng.integers(len(CAMERAS)))
        stranger, other = (strangers[int(k)] for k in rng.choice(len(strangers), 2, replace=False))
        (shot,) = _track(stranger, camera, 1, strangers, rng)
        if rng.random() < 0.4:
            shot = as_outlier(shot, KINDS[int(rng.choice(len(KINDS), p=SHARES))], other, rng)
        sequence = int(rng.integers(1, SEQUENCES + 1))
        frame = clock.later(camera, sequence, 1)
        images.append(PlannedImage(shot, 0, 0, "distractor", "gallery", sequence, frame))
    return images


def _plant(
    images: list[PlannedImage],
    people: list[Identity],
    wrong_labels: float,
    outliers: float,
    rng: np.random.Generator,
) -> list[PlannedImage]:
    """Give some training images another's number and spoil some; the others stay the same."""
    numbers = sorted({image.true_id for image in images})
    count = len(images)
    order = rng.permutation(count)
    wrong = {int(k) for k in order[: round(count * wrong_labels)]} if len(numbers) > 1 else set()
    sources = {image.copy_of for image in images}
    # an image that has near-copies stays as it is, or these would be near-copies of something else
    free = [int(k) for k in order if k not in wrong and k not in sources]
    spoilt = set(free[: round(count * outliers)])
    planted = []
    for index, image in enumerate(images):
        if index in wrong:
            others = [number for number in numbers if number != image.true_id]
            image = dataclasses.replace(
                image, kind="wrong_label", given_id=others[int(rng.integers(len(others)))]
            )
        elif index in spoilt:
            kind = KINDS[int(rng.choice(len(KINDS), p=SHARES))]
            shot = as_outlier(image.shot, kind, people[int(rng.integers(len(people)))], rng)
            shown = image.true_id if kind == "outlier_occlusion" else NO_ID
            image = dataclasses.replace(image, kind=kind, shot=shot, true_id=shown, copy_of=None)
        planted.append(image)
    return planted
