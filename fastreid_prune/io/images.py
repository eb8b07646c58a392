"""From a file to the RGB picture that training, evaluation, the page and everything else see.

The rule, for every file:

- The orientation that EXIF gives is applied.
- A palette becomes its colours. CMYK, YCbCr, LAB and HSV are converted to RGB.
- Transparent pixels (RGBA, LA, PA, or a palette or colour marked as transparent) are shown on white, in proportion to
  their opacity.
- Grey, and black and white, become three equal channels.
- 16 bits a pixel become 8: the values are divided by 256, so that a value is the same grey in every image (whole
  numbers of 32 bits likewise, and cut at 255). Floating point is multiplied by 255 where all of it is in [0, 1], else
  it is taken as 0 to 255 and cut there.
- Of an animation the first picture counts.
"""

import os
from pathlib import PurePath

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from fastreid_prune.errors import FastreidPruneError

ENDINGS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"),
)
_WIDE = ("I;16", "I;16L", "I;16B", "I;16N", "I")


class UnreadableImage(FastreidPruneError):
    """A file is no picture that can be decoded.

    Attributes:
        why: as a few words.
    """

    def __init__(self, path: str | os.PathLike, why: str):
        super().__init__(f"{path}: {why}. Replace or remove it.")
        self.why = why
        self._path = path

    def __reduce__(self) -> tuple:
        return type(self), (self._path, self.why)


def is_image_name(name: str) -> bool:
    """Whether a file has an image's ending, in any case of its letters."""
    return PurePath(name).suffix.lower() in ENDINGS


def read_rgb(path: str | os.PathLike, longest: int | None = None) -> Image.Image:
    """The picture in a file, in RGB, by the rule above.

    Args:
        path: the file.
        longest: a smaller picture will do, of at least so many pixels on its longer side: a JPEG is then decoded
            faster. It may still be larger.

    Raises:
        UnreadableImage: no picture, a truncated one, or one too large to be decoded; the message names the file.
    """
    try:
        with Image.open(path) as file:
            if longest is not None:
                file.draft("RGB", (longest, longest))
            return to_rgb(_upright(file))
    except FileNotFoundError as error:
        raise UnreadableImage(path, "no such file") from error
    except UnidentifiedImageError as error:
        raise UnreadableImage(path, "no image" if os.path.getsize(path) else "an empty file") from error
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, Image.DecompressionBombError) as error:
        said = str(error).replace(str(path), "").strip() or type(error).__name__
        raise UnreadableImage(path, f"cannot be decoded ({said})") from error


def to_rgb(image: Image.Image) -> Image.Image:
    """A picture of any mode in RGB, by the rule above.

    >>> to_rgb(Image.new("LA", (1, 1), (0, 51))).getpixel((0, 0))
    (204, 204, 204)
    >>> to_rgb(Image.fromarray(np.array([[51200]], np.uint16))).getpixel((0, 0))
    (200, 200, 200)
    """
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode in _WIDE:
        return _grey(np.asarray(image).astype(np.int64) // 256)
    if image.mode == "F":
        values = np.nan_to_num(np.asarray(image))
        scale = 255.0 if 0 <= values.min() and values.max() <= 1 else 1.0
        return _grey(np.rint(values * scale))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        shown = image.convert("RGBA")
        white = Image.new("RGBA", shown.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, shown).convert("RGB")
    return image.convert("RGB")


def _upright(file: Image.Image) -> Image.Image:
    """A copy, turned as EXIF says; damaged EXIF says nothing."""
    try:
        return ImageOps.exif_transpose(file)
    except Exception:  # whatever a damaged tag raises; a damaged picture raises again in copy()
        return file.copy()


def _grey(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).convert("RGB")
