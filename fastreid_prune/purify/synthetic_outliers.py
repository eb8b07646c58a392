"""Outliers composed of two images: pure functions of arrays and a source of chance."""

import numpy as np

TWO_PEOPLE, CHIMERA, RECOLOURED, COVERED = ("two_people", "chimera", "recoloured", "covered")
# a chimera and a recoloured image stand for somebody who is none of the identities
KINDS = (TWO_PEOPLE, CHIMERA, TWO_PEOPLE, RECOLOURED, COVERED)
_SHIFTS = ((1, 2, 0), (2, 0, 1), (2, 1, 0), (1, 0, 2), (0, 2, 1))


def compose(kind: str, first: np.ndarray, second: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The outlier of ``kind`` made of two images.

    Args:
        kind: ``two_people`` (the left half of one beside the right half of the other, or both squeezed side
            by side), ``chimera`` (the upper half of one on the lower half of the other), ``recoloured`` (the
            first, mirrored, its colour channels permuted; the second where the first is grey) or ``covered``
            (a large part of the first behind a piece of the second).
        first: [H, W, 3] uint8.
        second: [h, w, 3] uint8, resized to the first's size.
        rng: the source of chance.

    Returns:
        [H, W, 3] uint8.
    """
    height, width = first.shape[:2]
    second = resized(second, height, width)
    if kind == TWO_PEOPLE:
        return _beside(first, second, rng)
    if kind == CHIMERA:
        cut = round(height * rng.uniform(0.42, 0.58))
        return np.concatenate([first[:cut], second[cut:]])
    if kind == RECOLOURED:
        return _recoloured(first, second, rng)
    return _covered(first, second, rng)


def resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The image at another size, nearest pixel; [height, width, 3] uint8."""
    rows = (np.arange(height) + 0.5) * image.shape[0] / height
    columns = (np.arange(width) + 0.5) * image.shape[1] / width
    return image[rows.astype(int)[:, None], columns.astype(int)]


def _beside(first: np.ndarray, second: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = first.shape[:2]
    cut = round(width * rng.uniform(0.42, 0.58))
    if rng.random() < 0.5:
        return np.concatenate([first[:, :cut], second[:, cut:]], axis=1)
    return np.concatenate([resized(first, height, cut), resized(second, height, width - cut)], axis=1)


def _recoloured(first: np.ndarray, second: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    channels = first.reshape(-1, 3).astype(int)
    if np.abs(channels - channels.mean(1, keepdims=True)).mean() < 4:
        # grey stays grey: a drawing turned upside down beside nothing of its own
        half = len(first) // 2
        return np.ascontiguousarray(np.concatenate([second[::-1][:half], first[::-1][half:]])[:, ::-1])
    shift = _SHIFTS[rng.integers(len(_SHIFTS))]
    return np.ascontiguousarray(first[:, ::-1][:, :, shift])


def _covered(first: np.ndarray, second: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = first.shape[:2]
    patch = second[min(round(0.8 * height), height - 1) :, : max(2, width // 3)]
    share = rng.uniform(0.7, 0.9)
    tall = round(height * share)
    covered = first.copy()
    start = height - tall if rng.random() < 0.7 else 0
    covered[start : start + tall] = resized(patch, tall, width)
    return covered
