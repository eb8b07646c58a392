"""Things that stand about: clutter, what hides a person, what a detector takes for one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np

from fastreid_prune.lab.demo.canvas import Canvas, Colour, Point, mix, shade

METAL: Colour = (92, 96, 102)
RUBBER: Colour = (30, 30, 32)
LEAF: Colour = (58, 96, 50)
BARK: Colour = (88, 68, 50)

ORANGE: Colour = (224, 96, 34)


@dataclass(frozen=True)
class Thing:
    """An object that stands on the ground."""

    kind: str
    x: float  # finished pixels, of its middle
    ground: float  # finished pixels, of its foot
    size: float  # finished pixels, of its height
    colour: Colour
    seed: int


@dataclass(frozen=True)
class Sketch:
    """A canvas in an object's own measure: (right of its middle, above its foot), in its heights."""

    canvas: Canvas
    thing: Thing
    rng: np.random.Generator

    def at(self, right: float, up: float) -> Point:
        """The pixel (x, y) of a point."""
        return self.thing.x + self.thing.size * right, self.thing.ground - self.thing.size * up

    def polygon(self, points: Sequence[Point], colour: Colour, alpha: int = 255) -> None:
        """Fill a polygon."""
        self.canvas.polygon([self.at(*point) for point in points], colour, alpha)

    def box(
        self, left: float, top: float, right: float, bottom: float, colour: Colour, alpha: int = 255
    ) -> None:
        """Fill an upright rectangle."""
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour, alpha)

    def ellipse(self, right: float, up: float, rx: float, ry: float, colour: Colour) -> None:
        """Fill an upright ellipse."""
        self.canvas.ellipse(*self.at(right, up), self.thing.size * rx, self.thing.size * ry, colour)

    def line(self, points: Sequence[Point], thickness: float, colour: Colour) -> None:
        """Draw a line."""
        self.canvas.line([self.at(*point) for point in points], self.thing.size * thickness, colour)

    def limb(self, start: Point, end: Point, r0: float, r1: float, colour: Colour) -> None:
        """Draw a rounded limb, lit from the right."""
        size = self.thing.size
        self.canvas.limb(self.at(*start), self.at(*end), size * r0, size * r1, colour, 0.5)

    def wheel(self, right: float, radius: float) -> None:
        """Draw a wheel that stands on the ground."""
        size = self.thing.size
        self.canvas.ring(*self.at(right, radius), size * radius, size * 0.045, RUBBER)


Drawing = Callable[[Sketch, Colour], None]
DRAWINGS: dict[str, tuple[float, Drawing]] = {}


def natural_size(kind: str) -> float:
    """The height of a thing beside a person who is as tall as the image."""
    return DRAWINGS[kind][0]


def draw_thing(canvas: Canvas, thing: Thing) -> None:
    """Draw an object and its shadow."""
    canvas.ellipse(thing.x, thing.ground, thing.size * 0.3, thing.size * 0.05, (0, 0, 0), 60)
    _, draw = DRAWINGS[thing.kind]
    draw(Sketch(canvas, thing, np.random.default_rng(thing.seed)), thing.colour)


def _thing(kind: str, height: float) -> Callable[[Drawing], Drawing]:
    def register(draw: Drawing) -> Drawing:
        DRAWINGS[kind] = height, draw
        return draw

    return register


@_thing("bicycle", 0.5)
def _bicycle(sketch: Sketch, colour: Colour) -> None:
    for wheel in (-0.42, 0.42):
        sketch.wheel(wheel, 0.3)
        for k in range(6):
            spoke = (wheel + cos(k * pi / 3) * 0.3, 0.3 - sin(k * pi / 3) * 0.3)
            sketch.canvas.line([sketch.at(wheel, 0.3), sketch.at(*spoke)], 0.25, METAL)
    left, right, seat, head, crank = (-0.42, 0.3), (0.42, 0.3), (-0.12, 0.82), (0.3, 0.85), (0.0, 0.3)
    for tube in ([left, seat, crank, left], [seat, head, crank], [head, right]):
        sketch.line(tube, 0.045, colour)
    sketch.line([(-0.22, 0.82), (-0.02, 0.82)], 0.06, RUBBER)
    sketch.line([head, (0.28, 1.0), (0.42, 1.0)], 0.04, METAL)


@_thing("bin", 0.5)
def _bin(sketch: Sketch, colour: Colour) -> None:
    sketch.polygon([(-0.3, 0.88), (0.3, 0.88), (0.255, 0), (-0.255, 0)], colour)
    sketch.box(-0.33, 1, 0.33, 0.86, shade(colour, 0.75))
    for rib in (-0.15, 0.0, 0.15):
        sketch.line([(rib, 0.8), (rib * 0.85, 0.06)], 0.03, shade(colour, 0.7))
    sketch.box(-0.12, 0.7, 0.12, 0.5, (226, 224, 210))


@_thing("pole", 1.1)
def _pole(sketch: Sketch, colour: Colour) -> None:
    half = max(0.022, 1.2 / sketch.thing.size)
    sketch.box(-half, 1, half, 0, METAL)
    sketch.box(half * 0.2, 1, half, 0, shade(METAL, 0.7))
    sketch.ellipse(0, 0.9, half * 5, half * 5, (224, 224, 220))
    sketch.ellipse(0, 0.9, half * 4.2, half * 4.2, colour)
    sketch.box(-half * 3, 0.915, half * 3, 0.885, (232, 232, 228))


@_thing("bush", 0.45)
def _bush(sketch: Sketch, colour: Colour) -> None:
    rng = sketch.rng
    for _ in range(46):
        angle, reach = rng.uniform(0, 2 * pi), rng.uniform(0, 1) ** 0.5
        tone = shade(LEAF, rng.uniform(0.6, 1.45))
        right, up = cos(angle) * reach * 0.55, 0.48 - sin(angle) * reach * 0.45
        sketch.ellipse(right, up, rng.uniform(0.06, 0.15), rng.uniform(0.05, 0.12), tone)


@_thing("tree", 1.3)
def _tree(sketch: Sketch, colour: Colour) -> None:
    rng = sketch.rng
    sketch.polygon([(-0.06, 0), (-0.042, 1), (0.042, 1), (0.06, 0)], BARK)
    sketch.polygon([(0, 0), (0.012, 1), (0.042, 1), (0.06, 0)], shade(BARK, 0.7))
    for _ in range(60):
        right, up = rng.normal(0, 0.2), 0.88 - rng.normal(0, 0.12)
        rx, ry = rng.uniform(0.03, 0.09), rng.uniform(0.03, 0.07)
        sketch.ellipse(right, up, rx, ry, shade(LEAF, rng.uniform(0.55, 1.5)))


@_thing("bollard", 0.42)
def _bollard(sketch: Sketch, colour: Colour) -> None:
    sketch.box(-0.13, 0.93, 0.13, 0, shade(METAL, 0.6))
    sketch.ellipse(0, 0.93, 0.13, 0.104, shade(METAL, 0.7))
    sketch.box(-0.13, 0.8, 0.13, 0.62, (226, 226, 220))
    sketch.box(0.039, 0.95, 0.13, 0, (0, 0, 0), 60)


@_thing("car", 0.7)
def _car(sketch: Sketch, colour: Colour) -> None:
    half = 1.55
    body = [(-1, 0.2), (-0.98, 0.52), (-0.62, 0.6), (-0.4, 1), (0.35, 1), (0.66, 0.6), (0.97, 0.5), (1, 0.2)]
    sketch.polygon([(half * a, b) for a, b in body], colour)
    glass = [(-0.52, 0.62), (-0.36, 0.92), (0.31, 0.92), (0.54, 0.62)]
    sketch.polygon([(half * a, b) for a, b in glass], (70, 86, 100))
    sketch.box(-half * 0.03, 0.95, half * 0.02, 0.25, shade(colour, 0.7))
    sketch.box(-half, 0.32, half, 0.2, shade(colour, 0.55))
    for wheel in (-0.6, 0.6):
        sketch.ellipse(half * wheel, 0.2, 0.22, 0.22, RUBBER)
        sketch.ellipse(half * wheel, 0.2, 0.11, 0.11, (164, 166, 170))


@_thing("van", 1.0)
def _van(sketch: Sketch, colour: Colour) -> None:
    sketch.polygon([(-0.75, 0.1), (-0.75, 1), (0.525, 1), (0.75, 0.55), (0.75, 0.1)], colour)
    sketch.polygon([(0.225, 0.9), (0.495, 0.9), (0.675, 0.55), (0.225, 0.55)], (64, 80, 94))
    sketch.box(-0.75, 0.3, 0.75, 0.24, shade(colour, 0.7))
    sketch.box(-0.6, 0.75, 0, 0.5, mix(colour, (250, 250, 250), 0.6))
    for wheel in (-0.45, 0.465):
        sketch.ellipse(wheel, 0.11, 0.12, 0.12, RUBBER)


@_thing("dog", 0.3)
def _dog(sketch: Sketch, colour: Colour) -> None:
    coat = mix(colour, BARK, 0.6)
    for leg in (-0.42, -0.26, 0.3, 0.45):
        sketch.limb((leg, 0.4), (leg * 1.05, 0.04), 0.07, 0.05, coat)
    sketch.limb((-0.42, 0.52), (0.42, 0.55), 0.17, 0.2, coat)
    sketch.limb((0.45, 0.6), (0.62, 0.85), 0.12, 0.13, coat)
    sketch.limb((0.62, 0.85), (0.86, 0.78), 0.12, 0.06, coat)
    sketch.limb((-0.5, 0.6), (-0.75, 0.85), 0.05, 0.03, coat)
    sketch.polygon([(0.52, 0.92), (0.56, 1.1), (0.66, 0.95)], shade(coat, 0.6))


@_thing("cone", 0.3)
def _cone(sketch: Sketch, colour: Colour) -> None:
    sketch.polygon([(-0.06, 1), (0.06, 1), (0.3, 0), (-0.3, 0)], ORANGE)
    sketch.polygon([(-0.13, 0.7), (0.13, 0.7), (0.2, 0.42), (-0.2, 0.42)], (236, 236, 232))
    sketch.box(-0.38, 0.07, 0.38, 0, shade(ORANGE, 0.7))


@_thing("sign", 0.48)
def _sign(sketch: Sketch, colour: Colour) -> None:
    sketch.polygon([(-0.26, 0), (-0.208, 1), (0.208, 1), (0.26, 0)], shade(BARK, 0.8))
    board = [(-0.2236, 0.12), (-0.182, 0.94), (0.182, 0.94), (0.2236, 0.12)]
    sketch.polygon(board, mix(colour, (240, 236, 220), 0.55))
    for k in range(5):
        top = 0.82 - 0.14 * k
        sketch.box(-0.13, top, 0.26 * sketch.rng.uniform(0.1, 0.55), top - 0.05, shade(colour, 0.5))


@_thing("pram", 0.5)
def _pram(sketch: Sketch, colour: Colour) -> None:
    size, (x, hood), (_, basket) = sketch.thing.size, sketch.at(0, 0.55), sketch.at(0, 0.6)
    sketch.canvas.arc(x, hood, size * 0.4, size * 0.42, 180, 300, shade(colour, 0.8))
    sketch.canvas.arc(x, basket, size * 0.42, size * 0.34, 0, 180, colour)
    sketch.line([(0.35, 0.6), (0.6, 0.95)], 0.05, METAL)
    for wheel in (-0.26, 0.26):
        sketch.line([(0, 0.35), (wheel, 0.13)], 0.04, METAL)
        sketch.wheel(wheel, 0.13)
