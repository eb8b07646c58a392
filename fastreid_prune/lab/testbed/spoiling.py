"""The pictures that stand where an outlier is planted."""

import numpy as np
from PIL import Image

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.images import read_rgb
from fastreid_prune.lab.testbed import composing
from fastreid_prune.lab.testbed.layouts import LaidImage


class Spoiler:
    """Makes outliers out of a data set's own images.

    Args:
        images: all its images.
        seed: of all chance.

    Raises:
        FastreidPruneError: there are no training images, or none of people outside them.
    """

    def __init__(self, images: list[LaidImage], seed: int):
        self._images = images
        self._rng = np.random.default_rng([seed, 1])
        self._pids = np.array([image.pid for image in images])
        trained = np.array([image.split == "train" for image in images])
        self._train = np.flatnonzero(trained)
        self._foreign = np.array(
            [k for k, image in enumerate(images) if image.split != "train" and image.is_person]
        )
        if len(self._train) < 2 or not len(self._foreign):
            raise FastreidPruneError(
                f"Outliers are made of other training images and of people in query and gallery: "
                f"found {len(self._train)} and {len(self._foreign)} images. "
                "Plant no outliers, or complete the data set."
            )

    def spoil(self, index: int, kind: str) -> Image.Image:
        """The picture for image ``index`` as an outlier of ``kind`` (of ``errors.KINDS``)."""
        if kind == "outlier_foreign":
            return self._open(int(self._rng.choice(self._foreign)))
        if kind == "outlier_two_people":
            return composing.two_halves(self._open(index), self._open(self._other(index)), self._rng)
        picture = self._open(index)
        others = [self._open(self._other(index)) for _ in range(2)]
        if kind == "outlier_occlusion":
            return composing.hidden(picture, others, self._rng)
        return composing.background(others, picture.size, self._rng)

    def _other(self, index: int) -> int:
        """A training image of somebody else, or where there is nobody else any other."""
        others = self._train[self._pids[self._train] != self._pids[index]]
        return int(self._rng.choice(others if len(others) else self._train))

    def _open(self, index: int) -> Image.Image:
        return read_rgb(self._images[index].source)
