"""Outliers made of a data set's own images: pure functions of pictures."""

import numpy as np
from PIL import Image, ImageFilter


def two_halves(first: Image.Image, second: Image.Image, rng: np.random.Generator) -> Image.Image:
    """One picture of two people: a part of one beside, or above, the rest of the other."""
    picture = first.convert("RGB")
    width, height = picture.size
    other = second.convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
    share = float(rng.uniform(0.4, 0.6))
    if rng.random() < 0.7:
        left = round(width * share)
        picture.paste(other.crop((left, 0, width, height)), (left, 0))
    else:
        top = round(height * share)
        picture.paste(other.crop((0, top, width, height)), (0, top))
    return picture


def hidden(picture: Image.Image, others: list[Image.Image], rng: np.random.Generator) -> Image.Image:
    """A picture of which something else covers 60 to 85 percent, from below or from a side."""
    picture = picture.convert("RGB")
    width, height = picture.size
    share = float(rng.uniform(0.6, 0.85))
    cover = background(others, (width, height), rng)
    side = str(rng.choice(("below", "left", "right")))
    if side == "below":
        top = round(height * (1 - share))
        picture.paste(cover.crop((0, top, width, height)), (0, top))
    elif side == "left":
        picture.paste(cover.crop((0, 0, round(width * share), height)), (0, 0))
    else:
        left = round(width * (1 - share))
        picture.paste(cover.crop((left, 0, width, height)), (left, 0))
    return picture


def background(others: list[Image.Image], size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """A place without people: the borders of other images, stretched and softened, with grain.

    Args:
        others: one or more pictures, of whose left and right borders (a seventh of the width) it is made.
        size: (width, height) in pixels.
        rng: the source of chance.
    """
    width, height = size
    place = Image.new("RGB", size)
    left, count = 0, len(others)
    for k, other in enumerate(others):
        other = other.convert("RGB")
        strip = max(1, other.width // 7)
        start = int(rng.choice((0, other.width - strip)))
        right = width if k == count - 1 else round(width * (k + 1) / count)
        stretched = other.crop((start, 0, start + strip, other.height)).resize((max(1, right - left), height))
        place.paste(stretched, (left, 0))
        left = right
    soft = place.filter(ImageFilter.GaussianBlur(max(1.0, width / 40)))
    grain = np.asarray(soft, dtype=np.float32) + rng.normal(0, 5, (height, width, 1))
    return Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8))
