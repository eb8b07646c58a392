"""Identities and how they are drawn."""

from dataclasses import asdict
from math import pi

import numpy as np
import pytest
from PIL import Image

from fastreid_prune.lab.demo.canvas import HEIGHT, SCALE, WIDTH, Canvas
from fastreid_prune.lab.demo.figure import draw_figure
from fastreid_prune.lab.demo.identities import (
    BAGS,
    BOTTOMS,
    HAIR_STYLES,
    HATS,
    PATTERNS,
    TOPS,
    draw_identities,
)
from fastreid_prune.lab.demo.objects import DRAWINGS, Thing, draw_thing
from fastreid_prune.lab.demo.pose import Frame, Pose, skeleton

GREY = (150, 150, 150)


def drawn(identity, yaw=0.0, gesture="none"):
    image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), GREY)
    draw_figure(Canvas(image), identity, Pose(yaw, 1.0, 0.3, gesture), Frame(32, 120, 112, yaw, 0.2), 0.5)
    return np.asarray(image.reduce(SCALE), dtype=np.int32)


def test_every_value_of_every_attribute_can_be_drawn_from_every_side():
    people = draw_identities(120, np.random.default_rng(0), 0.0)
    for name, values in {
        "top": TOPS,
        "pattern": PATTERNS,
        "bottom": BOTTOMS,
        "bag": BAGS,
        "hat": HATS,
        "hair_style": HAIR_STYLES,
    }.items():
        assert {getattr(person, name) for person in people} == set(values)
    for k, person in enumerate(people):
        shape = drawn(person, yaw=-pi + k * pi / 8, gesture=("none", "phone", "pocket", "folded")[k % 4])
        covered = (np.abs(shape - np.array(GREY)).sum(axis=2) > 20).mean()
        assert 0.12 < covered < 0.6


def test_look_alikes_share_most_attributes_and_can_be_told_apart():
    people = draw_identities(200, np.random.default_rng(1), 0.5)
    pairs = [
        (first, second)
        for first, second in zip(people, people[1:], strict=False)
        if first.top_colour == second.top_colour and first.skin == second.skin
    ]
    assert 40 < len(pairs) < 130
    for first, second in pairs:
        changed = [name for name, value in asdict(first).items() if asdict(second)[name] != value]
        assert 1 <= len(set(changed) - {"build"}) <= 7
        views = [np.abs(drawn(first, yaw) - drawn(second, yaw)).max() for yaw in (0.0, pi / 2, pi)]
        assert max(views) > 40


@pytest.mark.parametrize("stride", [0.05, 0.3, 0.48])
def test_feet_stand_on_the_ground_and_the_head_is_on_top(stride):
    (person,) = draw_identities(1, np.random.default_rng(2), 0.0)
    for phase in np.linspace(0, 2 * pi, 9):
        body = skeleton(person, Pose(0.0, float(phase), stride))
        lowest = min(leg.ankle[1] for leg in body.legs.values())
        assert 0 <= lowest <= 0.08
        assert body.hip < body.shoulder < body.neck < body.head < 1


@pytest.mark.parametrize("kind", sorted(DRAWINGS))
def test_every_thing_can_be_drawn(kind):
    image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), GREY)
    draw_thing(Canvas(image), Thing(kind, 32, 110, 60, (200, 40, 40), 0))
    assert (np.asarray(image) != np.array(GREY)).any(axis=2).mean() > 0.01
