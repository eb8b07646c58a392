"""Drawing with anti-aliasing: everything is drawn a few times larger and reduced at the end."""

from collections.abc import Sequence

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


class Canvas:
    """A large RGB image to draw on in units of finished pixels; translucent colours blend.

    Args:
        image: what is drawn on, ``scale`` times as large as the finished image.
        scale: drawn pixels per finished pixel.
    """

    def __init__(self, image: Image.Image, scale: int = SCALE):
        self.image = image
        self.scale = scale
        self._draw = ImageDraw.Draw(image, "RGBA")

    def polygon(self, points: Sequence[Point], colour: Colour, alpha: int = 255) -> None:
        """Fill a polygon."""
        if len(points) >= 3:
            self._draw.polygon([(x * self.scale, y * self.scale) for x, y in points], (*colour, alpha))

    def box(
        self, left: float, top: float, right: float, bottom: float, colour: Colour, alpha: int = 255
    ) -> None:
        """Fill an upright rectangle."""
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour, alpha)

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: Colour, alpha: int = 255) -> None:
        """Fill an upright ellipse with centre (x, y) and half axes rx, ry."""
        if rx > 0 and ry > 0:
            scale = self.scale
            box = ((x - rx) * scale, (y - ry) * scale, (x + rx) * scale, (y + ry) * scale)
            self._draw.ellipse(box, (*colour, alpha))

    def arc(self, x: float, y: float, rx: float, ry: float, start: float, end: float, colour: Colour) -> None:
        """Fill the slice of an ellipse between two angles (degrees, clockwise from the right)."""
        scale = self.scale
        box = ((x - rx) * scale, (y - ry) * scale, (x + rx) * scale, (y + ry) * scale)
        self._draw.chord(box, start, end, (*colour, 255))

    def ring(self, x: float, y: float, radius: float, thickness: float, colour: Colour) -> None:
        """Draw a circle's outline."""
        scale = self.scale
        box = ((x - radius) * scale, (y - radius) * scale, (x + radius) * scale, (y + radius) * scale)
        self._draw.ellipse(box, None, (*colour, 255), max(1, round(thickness * scale)))

    def line(self, points: Sequence[Point], thickness: float, colour: Colour, alpha: int = 255) -> None:
        """Draw a line through ``points``."""
        width = max(1, round(thickness * self.scale))
        self._draw.line(
            [(x * self.scale, y * self.scale) for x, y in points], (*colour, alpha), width, "curve"
        )

    def capsule(
        self, start: Point, end: Point, r0: float, r1: float, colour: Colour, alpha: int = 255
    ) -> None:
        """Fill a limb: two circles of radius ``r0`` and ``r1`` and what lies between them."""
        (x0, y0), (x1, y1) = start, end
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        if length > 1e-6:
            nx, ny = -(y1 - y0) / length, (x1 - x0) / length
            quad = [
                (x0 + nx * r0, y0 + ny * r0),
                (x1 + nx * r1, y1 + ny * r1),
                (x1 - nx * r1, y1 - ny * r1),
                (x0 - nx * r0, y0 - ny * r0),
            ]
            self.polygon(quad, colour, alpha)
        self.ellipse(x0, y0, r0, r0, colour, alpha)
        self.ellipse(x1, y1, r1, r1, colour, alpha)

    def limb(self, start: Point, end: Point, r0: float, r1: float, colour: Colour, light: float) -> None:
        """A capsule lit from one side: ``light`` −1 is from the left, +1 from the right."""
        self.capsule(start, end, r0, r1, colour)
        (x0, y0), (x1, y1) = start, end
        lean = -0.42 * light
        dark, bright = shade(colour, 0.82), shade(colour, 1.07)
        self.capsule((x0 + lean * r0, y0), (x1 + lean * r1, y1), 0.56 * r0, 0.56 * r1, dark)
        self.capsule((x0 - lean * r0, y0), (x1 - lean * r1, y1), 0.42 * r0, 0.42 * r1, bright)
