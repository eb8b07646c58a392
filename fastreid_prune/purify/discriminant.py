"""Similarity that counts what tells identities apart: features whitened by how images of one identity differ.

Linear discriminant analysis with every sample's label weighed by its confidence. Each sample is looked at through
a whitening and prototypes that were made without it (five folds), so that no label argues for itself.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

NUM_FOLDS = 5
# towards equal variance in all directions; few images an identity make the rest unreliable
_SHRINKAGE = 0.2
# rows from which on class sums are a sparse product, in half the time and memory
_SPARSE_FROM = 50_000


@dataclass(frozen=True)
class View:
    """What one fold's samples are looked at through.

    Attributes:
        whitening: [D, D] float32.
        prototypes: [C, D] float32, of length 1 (0 where a class has nobody).
    """

    whitening: np.ndarray
    prototypes: np.ndarray

    def transform(self, features: np.ndarray) -> np.ndarray:
        """Features [n, D], whitened, of length 1."""
        return unit(features @ self.whitening)

    def similarities(self, features: np.ndarray) -> np.ndarray:
        """The cosine similarity [n, C] to each class's prototype."""
        return self.transform(features) @ self.prototypes.T


def view_without(
    features: np.ndarray,
    label: np.ndarray,
    label_confidence: np.ndarray,
    without: np.ndarray,
    num_classes: int,
    shrinkage: float = _SHRINKAGE,
) -> View:
    """The view made of all samples but some.

    Args:
        features: [N, D] float32, centred.
        label: [N] int64.
        label_confidence: [N] float in [0, 1], how much each counts.
        without: [N] bool.
        num_classes: C.
        shrinkage: of the whitening, towards equal variance in all directions, in [0, 1].
    """
    rows = np.flatnonzero(~without & (label_confidence > 1e-3))
    some, own, weight = features[rows], label[rows], label_confidence[rows].astype(np.float32)
    total = class_sums(some, own, weight, num_classes)
    count = np.bincount(own, weight, num_classes)
    means = total / np.maximum(count, 1e-6)[:, None].astype(np.float32)
    scatter = np.zeros((features.shape[1],) * 2)
    for start in range(0, len(rows), 8192):
        part = slice(start, start + 8192)
        apart = some[part] - means[own[part]]
        scatter += (apart * weight[part, None]).T @ apart
    scatter /= max(weight.sum(), 1e-6)
    level = max(np.trace(scatter) / len(scatter), 1e-12)
    scatter = (1 - shrinkage) * scatter + shrinkage * level * np.eye(len(scatter))
    whitening = np.linalg.cholesky(np.linalg.inv(scatter)).astype(np.float32)
    prototypes = class_sums(unit(some @ whitening), own, weight, num_classes)
    return View(whitening, unit(prototypes))


def class_sums(features: np.ndarray, label: np.ndarray, weight: np.ndarray, num_classes: int) -> np.ndarray:
    """The weighted sum [C, D] float32 of the features [n, D] of each class."""
    sums = np.zeros((num_classes, features.shape[1]), np.float32)
    if len(features):
        order = np.argsort(label, kind="stable")
        if len(features) > _SPARSE_FROM:
            limits = np.searchsorted(label[order], np.arange(num_classes + 1))
            one = csr_matrix((weight[order].astype(np.float32), order, limits), (num_classes, len(features)))
            return np.asarray(one @ np.asarray(features, np.float32))
        present, start = np.unique(label[order], return_index=True)
        sums[present] = np.add.reduceat(
            features[order] * weight[order, None].astype(np.float32), start, axis=0
        )
    return sums


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows of length 1; rows of zeros stay."""
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def folds(count: int) -> np.ndarray:
    """A fold [N] int for each of N samples, at random but always the same."""
    return np.random.default_rng(count).permutation(count) % NUM_FOLDS
