"""Features for benchmarks of evaluation: as many, as hard and as tangled as those of a trained model.

An image's feature is its identity's, plus its camera's, plus its own, all drawn from one spectrum that decays
like those of trained networks do, so that the few strong directions are shared by what tells identities apart
and what confuses them. Some images are much noisier than others (occluded, cropped badly): the amount is
log-normal. No threshold separates right from wrong pairs.
"""

from dataclasses import dataclass

import numpy as np

CAMERA = 0.5  # of an identity's size
SPREAD = 0.5  # of the logarithm of the noise
DECAY = 0.5  # the i-th direction has size i ** -DECAY


@dataclass(frozen=True)
class Size:
    """How large a test set is, and how much of an image's feature is its own.

    Attributes:
        queries, gallery: images.
        identities: that the queries have.
        distractors: gallery images of nobody the queries show, each of another identity.
        cameras: that both sides have.
        noise: median size of what is an image's own, in sizes of an identity's feature.
    """

    queries: int
    gallery: int
    identities: int
    distractors: int
    cameras: int
    noise: float


SIZES = {
    "VeRi": Size(1678, 11579, 200, 0, 20, 0.85),
    "Market1501": Size(3368, 15913, 750, 2798, 6, 0.65),
    "MSMT17": Size(11659, 82161, 3060, 0, 15, 0.8),
}


def retrieval(size: Size, width: int, seed: int) -> dict[str, np.ndarray]:
    """The arguments of ``evaluate_ranking``: features [N, width] float32, not normalised; ids and cams [N] int64."""
    random = np.random.default_rng(seed)
    spectrum = np.arange(1, width + 1, dtype=np.float32) ** -DECAY
    spectrum /= np.linalg.norm(spectrum)

    def draw(count: int) -> np.ndarray:
        return random.standard_normal((count, width), dtype=np.float32) * spectrum

    identity, camera = draw(size.identities + size.distractors), CAMERA * draw(size.cameras)

    def side(count: int, distractors: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        known = np.sort(random.integers(size.identities, size=count - distractors))
        ids = np.concatenate([known, size.identities + np.arange(distractors)])
        cams = random.integers(size.cameras, size=count)
        noise = size.noise * np.exp(SPREAD * random.standard_normal(count, dtype=np.float32))
        features = draw(count)
        features *= noise[:, None]
        for first in range(0, count, 4096):
            part = slice(first, first + 4096)
            features[part] += identity[ids[part]] + camera[cams[part]]
        return features, ids, cams

    query, gallery = side(size.queries, 0), side(size.gallery, size.distractors)
    names = ("features", "ids", "cams")
    return {
        f"{which}_{name}": array
        for which, arrays in (("query", query), ("gallery", gallery))
        for name, array in zip(names, arrays, strict=True)
    }
