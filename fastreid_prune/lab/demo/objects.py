"""Things that stand about: clutter, what hides a person, what a detector takes for one."""

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np

from fastreid_prune.lab.demo.canvas import Canvas, Colour, mix, shade

METAL: Colour = (92, 96, 102)
RUBBER: Colour = (30, 30, 32)
LEAF: Colour = (58, 96, 50)
BARK: Colour = (88, 68, 50)


# heights beside a person who is as tall as the image
NATURAL_SIZE = {
    "bicycle": 0.5,
    "bin": 0.5,
    "pole": 1.1,
    "bush": 0.45,
    "tree": 1.3,
    "bollard": 0.42,
    "car": 0.7,
    "van": 1.0,
    "dog": 0.3,
    "cone": 0.3,
    "sign": 0.48,
    "pram": 0.5,
}


@dataclass(frozen=True)
class Thing:
    """An object that stands on the ground."""

    kind: str
    x: float  # finished pixels, of its middle
    ground: float  # finished pixels, of its foot
    size: float  # finished pixels, of its height
    colour: Colour
    seed: int


def draw_thing(canvas: Canvas, thing: Thing) -> None:
    """Draw an object."""
    canvas.ellipse(thing.x, thing.ground, thing.size * 0.3, thing.size * 0.05, (0, 0, 0), 60)
    _DRAWERS[thing.kind](
        canvas, thing.x, thing.ground, thing.size, thing.colour, np.random.default_rng(thing.seed)
    )


def _bicycle(
    canvas: Canvas, x: float, y: float, size: float, colour: Colour, rng: np.random.Generator
) -> None:
    radius = size * 0.3
    left, right = x - size * 0.42, x + size * 0.42
    for wheel in (left, right):
        canvas.ring(wheel, y - radius, radius, size * 0.045, RUBBER)
        for k in range(6):
            reach = (cos(k * pi / 3) * radius, sin(k * pi / 3) * radius)
            canvas.line([(wheel, y - radius), (wheel + reach[0], y - radius + reach[1])], 0.25, METAL)
    seat, head, crank = (x - size * 0.12, y - size * 0.82), (x + size * 0.3, y - size * 0.85), (x, y - radius)
    for line in (
        [(left, y - radius), seat, crank, (left, y - radius)],
        [seat, head, crank],
        [head, (right, y - radius)],
    ):
        canvas.line(line, size * 0.045, colour)
    canvas.line([(seat[0] - size * 0.1, seat[1]), (seat[0] + size * 0.1, seat[1])], size * 0.06, RUBBER)
    canvas.line(
        [head, (head[0] - size * 0.02, y - size), (head[0] + size * 0.12, y - size)], size * 0.04, METAL
    )


def _bin(canvas: Canvas, x: float, y: float, size: float, colour: Colour, rng: np.random.Generator) -> None:
    half = size * 0.3
    canvas.polygon(
        [
            (x - half, y - size * 0.88),
            (x + half, y - size * 0.88),
            (x + half * 0.85, y),
            (x - half * 0.85, y),
        ],
        colour,
    )
    canvas.box(x - half * 1.1, y - size, x + half * 1.1, y - size * 0.86, shade(colour, 0.75))
    for k in (-0.5, 0.0, 0.5):
        canvas.line(
            [(x + half * k, y - size * 0.8), (x + half * k * 0.85, y - size * 0.06)],
            size * 0.03,
            shade(colour, 0.7),
        )
    canvas.box(x - half * 0.4, y - size * 0.7, x + half * 0.4, y - size * 0.5, (226, 224, 210))


def _pole(canvas: Canvas, x: float, y: float, size: float, colour: Colour, rng: np.random.Generator) -> None:
    half = max(size * 0.022, 1.2)
    canvas.box(x - half, y - size, x + half, y, METAL)
    canvas.box(x + half * 0.2, y - size, x + half, y, shade(METAL, 0.7))
    canvas.ellipse(x, y - size * 0.9, half * 5, half * 5, (224, 224, 220))
    canvas.ellipse(x, y - size * 0.9, half * 4.2, half * 4.2, colour)
    canvas.box(x - half * 3, y - size * 0.915, x + half * 3, y - size * 0.885, (232, 232, 228))


def _bush(canvas: Canvas, x: float, y: float, size: float, colour: Colour, rng: np.random.Generator) -> None:
    for _ in range(46):
        angle, reach = rng.uniform(0, 2 * pi), rng.uniform(0, 1) ** 0.5
        px, py = x + cos(angle) * reach * size * 0.55, y - size * 0.48 + sin(angle) * reach * size * 0.45
        tone = shade(LEAF, rng.uniform(0.6, 1.45))
        canvas.ellipse(px, py, size * rng.uniform(0.06, 0.15), size * rng.uniform(0.05, 0.12), tone)


def _tree(canvas: Canvas, x: float, y: float, size: float, colour: Colour, rng: np.random.Generator) -> None:
    half = size * 0.06
    canvas.polygon(
        [(x - half, y), (x - half * 0.7, y - size), (x + half * 0.7, y - size), (x + half, y)], BARK
    )
    canvas.polygon(
        [(x, y), (x + half * 0.2, y - size), (x + half * 0.7, y - size), (x + half, y)], shade(BARK, 0.7)
    )
    for _ in range(60):
        px, py = x + rng.normal(0, size * 0.2), y - size * 0.88 + rng.normal(0, size * 0.12)
        canvas.ellipse(
            px,
            py,
            size * rng.uniform(0.03, 0.09),
            size * rng.uniform(0.03, 0.07),
            shade(LEAF, rng.uniform(0.55, 1.5)),
        )


def _bollard(
    canvas: Canvas, x: float, y: float, size: float, colour: Colour, rng: np.random.Generator
) -> None:
    half = size * 0.13
    canvas.box(x - half, y - size * 0.93, x + half, y, shade(METAL, 0.6))
    canvas.ellipse(x, y - size * 0.93, half, half * 0.8, shade(METAL, 0.7))
    canvas.box(x - half, y - size * 0.8, x + half, y - size * 0.62, (226, 226, 220))
    canvas.box(x + half * 0.3, y - size * 0.95, x + half, y, (0, 0, 0), 60)


def _car(canvas: Canvas, x: float, y: float, size: float, colour: Colour, rng: np.random.Generator) -> None:
    half = size * 1.55
    body = [(-1, 0.2), (-0.98, 0.52), (-0.62, 0.6), (-0.4, 1), (0.35, 1), (0.66, 0.6), (0.97, 0.5), (1, 0.2)]
    canvas.polygon([(x + half * a, y - size * b) for a, b in body], colour)
    glass = [(-0.52, 0.62), (-0.36, 0.92), (0.31, 0.92), (0.54, 0.62)]
    canvas.polygon([(x + half * a, y - size * b) for a, b in glass], (70, 86, 100))
    canvas.box(x - half * 0.03, y - size * 0.95, x + half * 0.02, y - size * 0.25, shade(colour, 0.7))
    canvas.box(x - half, y - size * 0.32, x + half, y - size * 0.2, shade(colour, 0.55))
    for wheel in (-0.6, 0.6):
        canvas.ellipse(x + half * wheel, y - size * 0.2, size * 0.22, size * 0.22, RUBBER)
        canvas.ellipse(x + half * wheel, y - size * 0.2, size * 0.11, size * 0.11, (164, 166, 170))


def _van(canvas: Canvas, x: float, y: float, size: float, colour: Colour, rng: np.random.Generator) -> None:
    half = size * 0.75
    canvas.polygon(
        [
            (x - half, y - size * 0.1),
            (x - half, y - size),
            (x + half * 0.7, y - size),
            (x + half, y - size * 0.55),
            (x + half, y - size * 0.1),
        ],
        colour,
    )
    canvas.polygon(
        [
            (x + half * 0.3, y - size * 0.9),
            (x + half * 0.66, y - size * 0.9),
            (x + half * 0.9, y - size * 0.55),
            (x + half * 0.3, y - size * 0.55),
        ],
        (64, 80, 94),
    )
    canvas.box(x - half, y - size * 0.3, x + half, y - size * 0.24, shade(colour, 0.7))
    canvas.box(x - half * 0.8, y - size * 0.75, x, y - size * 0.5, mix(colour, (250, 250, 250), 0.6))
    for wheel in (-0.6, 0.62):
        canvas.ellipse(x + half * wheel, y - size * 0.11, size * 0.12, size * 0.12, RUBBER)


def _dog(canvas: Canvas, x: float, y: float, size: float, colour: Colour, rng: np.random.Generator) -> None:
    coat = mix(colour, BARK, 0.6)
    for leg in (-0.42, -0.26, 0.3, 0.45):
        canvas.limb(
            (x + size * leg, y - size * 0.4),
            (x + size * leg * 1.05, y - size * 0.04),
            size * 0.07,
            size * 0.05,
            coat,
            0.5,
        )
    canvas.limb(
        (x - size * 0.42, y - size * 0.52),
        (x + size * 0.42, y - size * 0.55),
        size * 0.17,
        size * 0.2,
        coat,
        0.5,
    )
    canvas.limb(
        (x + size * 0.45, y - size * 0.6),
        (x + size * 0.62, y - size * 0.85),
        size * 0.12,
        size * 0.13,
        coat,
        0.5,
    )
    canvas.limb(
        (x + size * 0.62, y - size * 0.85),
        (x + size * 0.86, y - size * 0.78),
        size * 0.12,
        size * 0.06,
        coat,
        0.5,
    )
    canvas.limb(
        (x - size * 0.5, y - size * 0.6),
        (x - size * 0.75, y - size * 0.85),
        size * 0.05,
        size * 0.03,
        coat,
        0.5,
    )
    canvas.polygon(
        [
            (x + size * 0.52, y - size * 0.92),
            (x + size * 0.56, y - size * 1.1),
            (x + size * 0.66, y - size * 0.95),
        ],
        shade(coat, 0.6),
    )


def _cone(canvas: Canvas, x: float, y: float, size: float, colour: Colour, rng: np.random.Generator) -> None:
    orange = (224, 96, 34)
    canvas.polygon(
        [(x - size * 0.06, y - size), (x + size * 0.06, y - size), (x + size * 0.3, y), (x - size * 0.3, y)],
        orange,
    )
    canvas.polygon(
        [
            (x - size * 0.13, y - size * 0.7),
            (x + size * 0.13, y - size * 0.7),
            (x + size * 0.2, y - size * 0.42),
            (x - size * 0.2, y - size * 0.42),
        ],
        (236, 236, 232),
    )
    canvas.box(x - size * 0.38, y - size * 0.07, x + size * 0.38, y, shade(orange, 0.7))


def _sign(canvas: Canvas, x: float, y: float, size: float, colour: Colour, rng: np.random.Generator) -> None:
    half = size * 0.26
    canvas.polygon(
        [(x - half, y), (x - half * 0.8, y - size), (x + half * 0.8, y - size), (x + half, y)],
        shade(BARK, 0.8),
    )
    canvas.polygon(
        [
            (x - half * 0.86, y - size * 0.12),
            (x - half * 0.7, y - size * 0.94),
            (x + half * 0.7, y - size * 0.94),
            (x + half * 0.86, y - size * 0.12),
        ],
        mix(colour, (240, 236, 220), 0.55),
    )
    for k in range(5):
        top = y - size * (0.82 - 0.14 * k)
        canvas.box(
            x - half * 0.5, top, x + half * rng.uniform(0.1, 0.55), top + size * 0.05, shade(colour, 0.5)
        )


def _pram(canvas: Canvas, x: float, y: float, size: float, colour: Colour, rng: np.random.Generator) -> None:
    canvas.arc(x, y - size * 0.55, size * 0.4, size * 0.42, 180, 300, shade(colour, 0.8))
    canvas.arc(x, y - size * 0.6, size * 0.42, size * 0.34, 0, 180, colour)
    canvas.line([(x + size * 0.35, y - size * 0.6), (x + size * 0.6, y - size * 0.95)], size * 0.05, METAL)
    for wheel in (-0.26, 0.26):
        canvas.line([(x, y - size * 0.35), (x + size * wheel, y - size * 0.13)], size * 0.04, METAL)
        canvas.ring(x + size * wheel, y - size * 0.13, size * 0.13, size * 0.045, RUBBER)


_DRAWERS: dict[str, Callable[[Canvas, float, float, float, Colour, np.random.Generator], None]] = {
    "bicycle": _bicycle,
    "bin": _bin,
    "pole": _pole,
    "bush": _bush,
    "tree": _tree,
    "bollard": _bollard,
    "car": _car,
    "van": _van,
    "dog": _dog,
    "cone": _cone,
    "sign": _sign,
    "pram": _pram,
}
