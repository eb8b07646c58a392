"""One image: who stands how, where, among what, in what light; and its near-copies."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from PIL import Image

from fastreid_prune.lab.demo.cameras import CAMERAS, Camera, Weather, expose
from fastreid_prune.lab.demo.canvas import HEIGHT, SCALE, WIDTH, Canvas, any_colour
from fastreid_prune.lab.demo.figure import draw_figure
from fastreid_prune.lab.demo.identities import Identity
from fastreid_prune.lab.demo.objects import Thing, draw_thing, natural_size
from fastreid_prune.lab.demo.pose import Frame, Pose
from fastreid_prune.lab.demo.scenes import SCENE_HEIGHT, SCENE_WIDTH, scene

CLUTTER = ("bicycle", "bin", "pole", "bush", "bollard", "cone", "sign", "pram", "dog")
MARGIN = 4  # finished pixels by which a crop may move


@dataclass(frozen=True)
class Person:
    """A person in an image."""

    identity: Identity
    pose: Pose
    x: float  # finished pixels, of the body's axis
    ground: float  # finished pixels, of the feet
    size: float  # finished pixels a body height


@dataclass(frozen=True)
class Shot:
    """All that an image is made of."""

    camera: int  # index into CAMERAS
    place: tuple[float, float]  # finished pixels, of the image's corner in the scene
    weather: Weather
    people: tuple[Person, ...]  # drawn in this order
    behind: tuple[Thing, ...]
    before: tuple[Thing, ...]
    noise_seed: int
    blur: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)  # finished pixels that the crop is off, below MARGIN


def render(shot: Shot) -> Image.Image:
    """Draw a shot: RGB, WIDTH × HEIGHT."""
    camera = CAMERAS[shot.camera]
    left, top = (round(c * SCALE) for c in shot.place)
    size = ((WIDTH + 2 * MARGIN) * SCALE, (HEIGHT + 2 * MARGIN) * SCALE)
    image = scene(camera.scene, shot.camera).crop((left, top, left + size[0], top + size[1]))
    canvas = Canvas(image)
    for thing in shot.behind:
        draw_thing(canvas, thing)
    for person in shot.people:
        frame = Frame(person.x, person.ground, person.size, person.pose.yaw, camera.elevation)
        draw_figure(canvas, person.identity, person.pose, frame, camera.light)
    for thing in shot.before:
        draw_thing(canvas, thing)
    x, y = (round((MARGIN + shift) * SCALE) for shift in shot.shift)
    crop = image.crop((x, y, x + WIDTH * SCALE, y + HEIGHT * SCALE)).reduce(SCALE)
    return expose(crop, camera, shot.weather, shot.blur, shot.noise_seed)


def near_copy(shot: Shot, rng: np.random.Generator) -> Shot:
    """The same moment a frame or two later: moved by a pixel, the light and the noise a little different."""
    step = float(rng.uniform(-0.12, 0.12))
    people = tuple(
        dataclasses.replace(person, pose=dataclasses.replace(person.pose, phase=person.pose.phase + step))
        for person in shot.people
    )
    weather = dataclasses.replace(
        shot.weather, exposure=shot.weather.exposure * float(rng.uniform(0.97, 1.03))
    )
    x, y = (float(np.clip(s + rng.uniform(-1.6, 1.6), 0.5 - MARGIN, MARGIN - 0.5)) for s in shot.shift)
    return dataclasses.replace(
        shot, people=people, weather=weather, shift=(x, y), noise_seed=int(rng.integers(2**31))
    )


def draw_weather(rng: np.random.Generator) -> Weather:
    """The light of a moment."""
    return Weather(
        exposure=float(np.exp(rng.normal(0, 0.12))),
        warmth=float(rng.normal(0, 0.035)),
        patches=float(rng.uniform(0.03, 0.15)),
        seed=int(rng.integers(2**31)),
    )


def draw_place(rng: np.random.Generator) -> tuple[float, float]:
    """A corner in the scene from which an image with its margins fits."""
    width, height = SCENE_WIDTH - WIDTH - 2 * MARGIN, SCENE_HEIGHT - HEIGHT - 2 * MARGIN
    return float(rng.uniform(0, width)), float(rng.uniform(0, height))


def draw_pose(camera: Camera, yaw: float, rng: np.random.Generator) -> Pose:
    """A moment of somebody's walk in about the direction ``yaw``."""
    gesture = str(rng.choice(("none", "phone", "pocket", "folded"), p=(0.66, 0.12, 0.14, 0.08)))
    stride = float(rng.uniform(0.3, 0.48)) if rng.random() < 0.8 else 0.06
    return Pose(
        yaw=float(yaw + rng.normal(0, 0.25)),
        phase=float(rng.uniform(0, 2 * np.pi)),
        stride=stride,
        gesture=gesture,
        lean=float(rng.uniform(-0.005, 0.02)),
    )


def draw_person(identity: Identity, camera: Camera, yaw: float, rng: np.random.Generator) -> Person:
    """Somebody in the middle of the image, framed as by a detector: now loosely, now too tightly."""
    pose = draw_pose(camera, yaw, rng)
    size = float(np.clip(rng.normal(114, 4.5), 102, 124) / np.cos(camera.elevation))
    x = MARGIN + WIDTH / 2 + float(rng.normal(0, 2.0))
    ground = MARGIN + HEIGHT - 8 + float(rng.normal(0, 2.2))
    return Person(identity, pose, x, ground, size)


def draw_shot(
    person: Person,
    camera: int,
    place: tuple[float, float],
    weather: Weather,
    strangers: list[Identity],
    rng: np.random.Generator,
) -> Shot:
    """A shot of a person among the clutter of a street: things, passers-by, what hides a leg or an arm."""
    people, behind, before = [], [], []
    if rng.random() < 0.3:
        people.append(_passer_by(_any(strangers, rng), CAMERAS[camera], rng))
    if rng.random() < 0.45:
        behind.append(_thing(rng, float(rng.uniform(92, 112)), (0.7, 1.0)))
    people.append(person)
    if rng.random() < 0.1:
        people.append(_neighbour(_any(strangers, rng), person, CAMERAS[camera], rng))
    if rng.random() < 0.2:
        before.append(_thing(rng, float(rng.uniform(126, 138)), (0.8, 1.05)))
    return Shot(
        camera=camera,
        place=place,
        weather=weather,
        people=tuple(people),
        behind=tuple(behind),
        before=tuple(before),
        noise_seed=int(rng.integers(2**31)),
        blur=float(rng.uniform(0.6, 1.1)) if rng.random() < 0.15 else 0.0,
        shift=(float(rng.uniform(-1, 1)), float(rng.uniform(-1, 1))),
    )


def _passer_by(identity: Identity, camera: Camera, rng: np.random.Generator) -> Person:
    """Somebody further off."""
    pose = draw_pose(camera, float(rng.uniform(-np.pi, np.pi)), rng)
    x = MARGIN + float(rng.choice((rng.uniform(2, 16), rng.uniform(48, 62))))
    return Person(identity, pose, x, float(rng.uniform(88, 104)), float(rng.uniform(48, 76)))


def _neighbour(identity: Identity, person: Person, camera: Camera, rng: np.random.Generator) -> Person:
    """Somebody beside, of whom the edge of the image shows a part."""
    pose = draw_pose(camera, person.pose.yaw, rng)
    x = MARGIN + float(rng.choice((rng.uniform(-8, 0), rng.uniform(64, 72))))
    return Person(
        identity,
        pose,
        x,
        person.ground + float(rng.uniform(-4, 6)),
        person.size * float(rng.uniform(0.92, 1.05)),
    )


def _thing(rng: np.random.Generator, ground: float, scales: tuple[float, float]) -> Thing:
    """Something at one side, of its natural size times a factor from ``scales``."""
    kind = CLUTTER[int(rng.integers(len(CLUTTER)))]
    x = MARGIN + float(rng.choice((rng.uniform(0, 20), rng.uniform(44, 64))))
    colour = any_colour(rng, 30, 220)
    size = HEIGHT * natural_size(kind) * float(rng.uniform(*scales))
    return Thing(kind, x, ground, size, colour, int(rng.integers(2**31)))


def _any(people: list[Identity], rng: np.random.Generator) -> Identity:
    return people[int(rng.integers(len(people)))]
