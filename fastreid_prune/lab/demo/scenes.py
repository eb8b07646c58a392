"""The places that the cameras look at: panoramas, wider than an image, of which an image shows a part."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image

from fastreid_prune.lab.demo.canvas import HEIGHT, SCALE, WIDTH, Canvas, Colour, any_colour, shade
from fastreid_prune.lab.demo.objects import Thing, draw_thing

SCENE_WIDTH, SCENE_HEIGHT = 4 * WIDTH, HEIGHT + 24  # finished pixels


@lru_cache(maxsize=8)
def scene(kind: str, seed: int) -> Image.Image:
    """The panorama of a place, ``SCALE`` times as large as finished pixels."""
    image = Image.new("RGB", (SCENE_WIDTH * SCALE, SCENE_HEIGHT * SCALE))
    rng = np.random.default_rng(seed)
    _SCENES[kind](Canvas(image), rng)
    return _grain(image, rng)


def _street(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.box(0, 0, SCENE_WIDTH, 30, (188, 206, 220))
    left = 0.0
    while left < SCENE_WIDTH:
        width, top = rng.uniform(38, 60), rng.uniform(0, 12)
        wall = shade((186, 170, 150), rng.uniform(0.7, 1.1))
        canvas.box(left, top, left + width, 66, wall)
        for row in np.arange(top + 6, 60, 15):
            for column in np.arange(left + 5, left + width - 8, 12):
                canvas.box(column, row, column + 7, row + 9, (96, 112, 126))
                canvas.box(column, row + 4, column + 7, row + 4.8, (214, 210, 200))
        left += width
    canvas.box(0, 64, SCENE_WIDTH, 74, (158, 156, 150))
    canvas.box(0, 74, SCENE_WIDTH, 77, (124, 122, 118))
    canvas.box(0, 77, SCENE_WIDTH, SCENE_HEIGHT, (104, 104, 108))
    for x in range(6, SCENE_WIDTH, 44):
        canvas.polygon([(x, 112), (x + 22, 112), (x + 19, 116), (x - 4, 116)], (214, 212, 200))
    for x in range(30, SCENE_WIDTH, 75):
        colour = any_colour(rng, 50, 210)
        draw_thing(canvas, Thing("car", x + rng.uniform(-10, 10), 80, 22, colour, 0))
    for x in (60, 190):
        draw_thing(canvas, Thing("pole", x, 82, 78, (178, 40, 40), 0))


def _brick(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.box(0, 0, SCENE_WIDTH, 96, (128, 118, 110))
    for row in range(16):
        for column in range(-1, SCENE_WIDTH // 12 + 1):
            left = column * 12.0 + 6 * (row % 2)
            tone = shade((150, 84, 66), rng.uniform(0.75, 1.15))
            canvas.box(left + 0.5, row * 6 + 0.5, left + 11.5, row * 6 + 5.5, tone)
    canvas.box(0, 93, SCENE_WIDTH, 96, (96, 90, 84))
    _slabs(canvas, 96, (150, 148, 144), rng)
    for x in range(22, SCENE_WIDTH, 58):
        left, colour = x + rng.uniform(-8, 8), any_colour(rng, 60, 230)
        if rng.random() < 0.6:
            canvas.box(left, 22, left + 20, 52, (226, 222, 210))
            canvas.box(left + 2, 24, left + 18, 42, colour)
            canvas.box(left + 2, 45, left + 14, 47, (80, 80, 80))
        else:
            canvas.box(left, 14, left + 26, 93, (62, 66, 74))
            canvas.box(left + 2, 18, left + 24, 93, colour)
            canvas.ellipse(left + 20, 58, 1.2, 1.2, (210, 200, 150))
    canvas.box(100, 0, 103, 93, (110, 114, 118))


def _lawn(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.box(0, 0, SCENE_WIDTH, 60, (176, 200, 214))
    for x in range(-10, SCENE_WIDTH + 20, 17):
        draw_thing(
            canvas,
            Thing("bush", x + rng.uniform(-5, 5), 64, rng.uniform(30, 56), (0, 0, 0), int(rng.integers(99))),
        )
    canvas.box(0, 58, SCENE_WIDTH, SCENE_HEIGHT, (96, 136, 68))
    for _ in range(2600):
        foot, ground = rng.uniform(0, SCENE_WIDTH), rng.uniform(58, SCENE_HEIGHT)
        tone = shade((96, 136, 68), rng.uniform(0.7, 1.3))
        canvas.line([(foot, ground), (foot + rng.uniform(-1, 1), ground - rng.uniform(1, 3))], 0.4, tone)
    canvas.polygon([(0, 118), (SCENE_WIDTH, 96), (SCENE_WIDTH, 124), (0, 146)], (196, 182, 152))
    for x in (34, 118, 214):
        draw_thing(canvas, Thing("tree", x, 84, 92, (0, 0, 0), x))
    for x in (76, 168):
        canvas.box(x, 74, x + 26, 77, (120, 84, 54))
        canvas.box(x, 66, x + 26, 69, (120, 84, 54))
        canvas.box(x + 2, 66, x + 4, 84, (70, 70, 70))
        canvas.box(x + 22, 66, x + 24, 84, (70, 70, 70))


def _shops(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.box(0, 0, SCENE_WIDTH, 92, (84, 78, 76))
    for x in range(0, SCENE_WIDTH, 52):
        colour = any_colour(rng, 60, 220)
        canvas.box(x, 0, x + 50, 14, colour)
        for k in range(6):
            canvas.box(x + 6 + k * 6.4, 4, x + 10 + k * 6.4, 10, (240, 236, 220))
        for k in range(10):
            canvas.polygon(
                [(x + k * 5, 14), (x + k * 5 + 5, 14), (x + k * 5 + 5, 21), (x + k * 5, 21)],
                colour if k % 2 else (238, 234, 226),
            )
        canvas.box(x + 2, 21, x + 48, 86, (236, 214, 168))
        for _ in range(16):
            left, top = x + rng.uniform(3, 42), rng.uniform(30, 78)
            goods = any_colour(rng, 60, 240)
            canvas.box(left, top, left + rng.uniform(2, 6), top + rng.uniform(3, 8), goods)
        for shelf in (44, 60, 76):
            canvas.box(x + 2, shelf, x + 48, shelf + 1, (150, 122, 86))
        canvas.polygon([(x + 6, 86), (x + 22, 21), (x + 30, 21), (x + 14, 86)], (255, 255, 255), 50)
        canvas.box(x + 24, 21, x + 25, 86, (70, 70, 74))
    canvas.box(0, 86, SCENE_WIDTH, 94, (64, 60, 60))
    _slabs(canvas, 94, (178, 168, 154), rng)


def _plaza(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.box(0, 0, SCENE_WIDTH, SCENE_HEIGHT, (176, 170, 160))
    for row in range(0, SCENE_HEIGHT, 11):
        for column in range(-1, SCENE_WIDTH // 15 + 1):
            left = column * 15 + 7 * (row // 11 % 2)
            tone = shade((182, 174, 164), rng.uniform(0.86, 1.06))
            canvas.box(left + 0.4, row + 0.4, left + 14.6, row + 10.6, tone)
    canvas.polygon([(0, 0), (SCENE_WIDTH, 0), (SCENE_WIDTH, 12), (0, 40)], (96, 90, 88), 130)
    for x in (40, 122, 206):
        canvas.box(x - 14, 26, x + 14, 44, (132, 122, 112))
        draw_thing(canvas, Thing("bush", x, 40, 30, (0, 0, 0), x))
    for x in (84, 168, 240):
        canvas.box(x - 16, 60, x + 16, 66, (128, 92, 60))
        canvas.box(x - 14, 66, x - 11, 74, (60, 60, 62))
        canvas.box(x + 11, 66, x + 14, 74, (60, 60, 62))


def _underpass(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.box(0, 0, SCENE_WIDTH, 90, (108, 104, 100))
    for x in range(0, SCENE_WIDTH, 32):
        canvas.box(x, 18, x + 30, 88, shade((124, 122, 116), rng.uniform(0.85, 1.1)))
        canvas.ellipse(x + 4, 24, 0.8, 0.8, (60, 60, 60))
        canvas.ellipse(x + 26, 24, 0.8, 0.8, (60, 60, 60))
    for x in range(8, SCENE_WIDTH, 64):
        canvas.box(x, 6, x + 30, 10, (250, 244, 210))
        canvas.polygon([(x - 4, 10), (x + 34, 10), (x + 46, 60), (x - 16, 60)], (250, 240, 200), 34)
    for _ in range(9):
        middle, colour = rng.uniform(0, SCENE_WIDTH), any_colour(rng, 40, 230)
        points = [(middle + rng.uniform(-14, 14), rng.uniform(40, 74)) for _ in range(5)]
        canvas.line(points, 1.8, colour, 190)
    for x in (70, 198):
        canvas.box(x - 7, 0, x + 7, 98, (92, 90, 88))
        canvas.box(x + 2, 0, x + 7, 98, (64, 62, 62))
    canvas.box(0, 88, SCENE_WIDTH, SCENE_HEIGHT, (86, 84, 84))
    canvas.box(0, 88, SCENE_WIDTH, 91, (56, 54, 54))
    for x in (30, 150, 226):
        canvas.ellipse(x, 124, 22, 4, (128, 130, 134), 120)


def _slabs(canvas: Canvas, top: float, colour: Colour, rng: np.random.Generator) -> None:
    """A pavement of slabs from ``top`` to the lower edge."""
    canvas.box(0, top, SCENE_WIDTH, SCENE_HEIGHT, shade(colour, 0.8))
    y, height = top, 7.0
    while y < SCENE_HEIGHT:
        for left in np.arange(-20 + (y * 3) % 20, SCENE_WIDTH, 22):
            canvas.box(
                left + 0.4, y + 0.4, left + 21.6, y + height - 0.4, shade(colour, rng.uniform(0.9, 1.06))
            )
        y, height = y + height, height * 1.25


def _grain(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """The picture with a fine texture, so that no surface is flat."""
    width, height = image.size
    grained = np.asarray(image, dtype=np.float32)
    field = np.zeros((height, width), dtype=np.float32)
    for size in (24, SCALE):
        noise = Image.fromarray(rng.normal(0, 5, (height // size, width // size)).astype(np.float32))
        field += np.asarray(noise.resize(image.size, Image.Resampling.BILINEAR))
    return Image.fromarray(np.clip(grained + field[..., None], 0, 255).astype(np.uint8))


_SCENES: dict[str, Callable[[Canvas, np.random.Generator], None]] = {
    "street": _street,
    "brick": _brick,
    "lawn": _lawn,
    "shops": _shops,
    "plaza": _plaza,
    "underpass": _underpass,
}
