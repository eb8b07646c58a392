"""Small pictures of samples as data URIs, each made once."""

import base64
import io
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, features

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.images import read_rgb

QUALITY = 62


@dataclass(frozen=True)
class Thumbnail:
    """A picture for the page: its size in pixels and its ``data:`` address."""

    width: int
    height: int
    uri: str


def thumbnails(
    root: str | os.PathLike, file_names: np.ndarray, rows: Iterable[int], longest: dict[int, int]
) -> dict[int, Thumbnail]:
    """Shrink the images of ``rows``; those that cannot be read are left out.

    Args:
        root: the folder that file names are relative to.
        file_names: [N] str.
        rows: which samples.
        longest: row -> the longest side in pixels, at most.
    """
    root = Path(root)
    rows = sorted(set(rows))
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        made = list(pool.map(lambda row: _thumbnail(root / file_names[row], longest[row]), rows))
    return {row: thumbnail for row, thumbnail in zip(rows, made, strict=True) if thumbnail is not None}


def _thumbnail(path: Path, longest: int) -> Thumbnail | None:
    try:
        image = read_rgb(path, longest)
    except FastreidPruneError:
        return None
    image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    kind = "webp" if features.check("webp") else "jpeg"
    buffer = io.BytesIO()
    image.save(buffer, kind, quality=QUALITY)
    text = base64.b64encode(buffer.getvalue()).decode("ascii")
    width, height = image.size
    return Thumbnail(width, height, f"data:image/{kind};base64,{text}")
