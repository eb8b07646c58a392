"""Drawing with anti-aliasing: everything is drawn a few times larger and reduced at the end."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 64, 128  # pixels of a finished image
SCALE = 4  # drawn this many times larger

Colour = tuple[int, int, int]
Point = tuple[float, float]


def shade(colour: Colour, factor: float) -> Colour:
    """``colour`` made darker (factor < 1) or lighter (factor > 1), each channel in 0..255."""
    red, green, blue = (max(0, min(255, round(channel * factor))) for channel in colour)
    return red, green, blue


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """The colour that lies ``share`` (0..1) of the way from ``first`` to ``second``."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def any_colour(rng: np.random.Generator, darkest: int, brightest: int) -> Colour:
    """A colour by chance, each channel in darkest..brightest - 1."""
    red, green, blue = (int(channel) for channel in rng.integers(darkest, brightest, 3))
    return red, green, blue


class Canvas:
    """An RGB image, ``SCALE`` times as large as the finished one, to draw on in units of finished pixels.

    Translucent colours blend.
    """

    def __init__(self, image: Image.Image):
        self._draw = ImageDraw.Draw(image, "RGBA")

    def polygon(self, points: Sequence[Point], colour: Colour, alpha: int = 255) -> None:
        """Fill a polygon of three points or more."""
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], (*colour, alpha))

    def box(
        self, left: float, top: float, right: float, bottom: float, colour: Colour, alpha: int = 255
    ) -> None:
        """Fill an upright rectangle."""
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour, alpha)

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: Colour, alpha: int = 255) -> None:
        """Fill an upright ellipse with centre (x, y) and half axes rx, ry."""
        if rx > 0 and ry > 0:
            self._draw.ellipse(_around(x, y, rx, ry), (*colour, alpha))

    def arc(self, x: float, y: float, rx: float, ry: float, start: float, end: float, colour: Colour) -> None:
        """Fill the slice of an ellipse between two angles (degrees, clockwise from the right)."""
        self._draw.chord(_around(x, y, rx, ry), start, end, (*colour, 255))

    def ring(self, x: float, y: float, radius: float, thickness: float, colour: Colour) -> None:
        """Draw a circle's outline."""
        width = max(1, round(thickness * SCALE))
        self._draw.ellipse(_around(x, y, radius, radius), None, (*colour, 255), width)

    def line(self, points: Sequence[Point], thickness: float, colour: Colour, alpha: int = 255) -> None:
        """Draw a line through ``points``."""
        width = max(1, round(thickness * SCALE))
        self._draw.line([(x * SCALE, y * SCALE) for x, y in points], (*colour, alpha), width, "curve")

    def limb(self, start: Point, end: Point, r0: float, r1: float, colour: Colour, light: float) -> None:
        """A capsule lit from one side: ``light`` −1 is from the left, +1 from the right."""
        self._capsule(start, end, r0, r1, colour)
        (x0, y0), (x1, y1) = start, end
        lean = -0.42 * light
        dark, bright = shade(colour, 0.82), shade(colour, 1.07)
        self._capsule((x0 + lean * r0, y0), (x1 + lean * r1, y1), 0.56 * r0, 0.56 * r1, dark)
        self._capsule((x0 - lean * r0, y0), (x1 - lean * r1, y1), 0.42 * r0, 0.42 * r1, bright)

    def _capsule(self, start: Point, end: Point, r0: float, r1: float, colour: Colour) -> None:
        """Fill two circles of radius ``r0`` and ``r1`` and what lies between them."""
        (x0, y0), (x1, y1) = start, end
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        if length > 1e-6:
            nx, ny = -(y1 - y0) / length, (x1 - x0) / length
            sides = [(x0, y0, r0), (x1, y1, r1), (x1, y1, -r1), (x0, y0, -r0)]
            self.polygon([(x + nx * r, y + ny * r) for x, y, r in sides], colour)
        self.ellipse(x0, y0, r0, r0, colour)
        self.ellipse(x1, y1, r1, r1, colour)


def _around(x: float, y: float, rx: float, ry: float) -> tuple[float, float, float, float]:
    """The box of an ellipse, in drawn pixels."""
    return (x - rx) * SCALE, (y - ry) * SCALE, (x + rx) * SCALE, (y + ry) * SCALE
