"""Images that belong to nobody: two people at once, objects, empty places, people who are hidden."""

import dataclasses

import numpy as np

from fastreid_prune.lab.demo.cameras import CAMERAS
from fastreid_prune.lab.demo.canvas import HEIGHT, WIDTH, any_colour
from fastreid_prune.lab.demo.identities import Identity
from fastreid_prune.lab.demo.objects import Thing
from fastreid_prune.lab.demo.shots import MARGIN, Shot, draw_person

KINDS = ("outlier_two_people", "outlier_object", "outlier_background", "outlier_occlusion")
SHARES = (0.34, 0.26, 0.14, 0.26)
OBJECTS = ("bicycle", "bin", "bush", "tree", "van", "car", "dog", "sign", "pram", "cone")


def as_outlier(shot: Shot, kind: str, other: Identity, rng: np.random.Generator) -> Shot:
    """The shot at the same place and in the same light, spoilt in the way of ``kind``.

    Args:
        shot: of one person.
        kind: one of :data:`KINDS`.
        other: who else is in the picture, for two people.
        rng: the source of chance.
    """
    if kind == "outlier_two_people":
        return _two_people(shot, other, rng)
    if kind == "outlier_occlusion":
        return _hidden(shot, rng)
    empty = dataclasses.replace(shot, people=(), behind=(), before=())
    if kind == "outlier_background":
        return empty
    return dataclasses.replace(empty, before=(_large_object(rng),))


def _two_people(shot: Shot, other: Identity, rng: np.random.Generator) -> Shot:
    """Two people of equal size, each in about a half of the image."""
    person = shot.people[-1]
    side = float(rng.choice((-1, 1))) * float(rng.uniform(11, 15))
    second = draw_person(other, CAMERAS[shot.camera], person.pose.yaw, rng)
    middle = MARGIN + WIDTH / 2
    pair = [dataclasses.replace(person, x=middle - side), dataclasses.replace(second, x=middle + side)]
    rng.shuffle(pair)
    return dataclasses.replace(shot, people=tuple(pair), before=())


def _hidden(shot: Shot, rng: np.random.Generator) -> Shot:
    """Something large stands before the person, of whom hardly more than a quarter is left to see."""
    middle, foot = MARGIN + WIDTH / 2, MARGIN + HEIGHT
    colour = any_colour(rng, 40, 220)
    kind = str(rng.choice(("bush", "van", "sign", "car")))
    seed = int(rng.integers(2**31))
    if kind == "bush":
        places = [middle + float(rng.uniform(-6, 6)) for _ in range(2)]
        things = [Thing("bush", x, foot + 2 - 38 * k, 70, colour, seed + k) for k, x in enumerate(places)]
    else:
        reach, low, smallest, largest = {
            "van": (22, 4, 90, 118),
            "sign": (5, 6, 108, 124),
            "car": (30, 4, 84, 104),
        }[kind]
        x, size = middle + float(rng.uniform(-reach, reach)), float(rng.uniform(smallest, largest))
        things = [Thing(kind, x, foot + low, size, colour, seed)]
    return dataclasses.replace(shot, before=tuple(things))


def _large_object(rng: np.random.Generator) -> Thing:
    kind = OBJECTS[int(rng.integers(len(OBJECTS)))]
    size = float(rng.uniform(48, 80)) * (1.4 if kind in ("tree", "sign", "bin", "cone") else 1.0)
    x, ground = MARGIN + WIDTH / 2 + float(rng.normal(0, 4)), MARGIN + HEIGHT - 8 + float(rng.normal(0, 4))
    return Thing(kind, x, ground, size, any_colour(rng, 40, 220), int(rng.integers(2**31)))
