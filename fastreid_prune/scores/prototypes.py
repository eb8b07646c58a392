"""How far a sample lies from its class in feature space."""

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.scores.registry import method
from fastreid_prune.trajectory.blocks import row_blocks
from fastreid_prune.trajectory.store import Trajectory


@method(
    "prototypes",
    source="Sorscher et al., Beyond Neural Scaling Laws, NeurIPS 2022, arXiv 2206.14486",
    direction="far from the prototype of its class",
)
def prototypes(trajectory: Trajectory) -> np.ndarray:
    """1 - cosine(feature, prototype of the given class), ``[N]`` in [0, 2].

    Features are normalised to length 1; a class's prototype is the mean of its samples' normalised features,
    normalised again. The paper's prototypes are k-means centres; here the classes are the clusters.

    Raises:
        FastreidPruneError: the run recorded no features.
    """
    if trajectory.features is None:
        raise FastreidPruneError(
            "prototypes: this trajectory has no features. Score with features recorded, or choose another "
            "method."
        )
    seen = trajectory.epochs.visits.sum(0) > 0
    return distance_to_prototypes(trajectory.features, trajectory.labels, seen, trajectory.num_classes)


def distance_to_prototypes(
    features: np.ndarray, labels: np.ndarray, seen: np.ndarray, num_classes: int
) -> np.ndarray:
    """The cosine distance ``[N]`` of ``features`` ``[N, D]`` to the prototypes of ``labels`` ``[N]`` int64.

    Rows where ``seen`` ``[N]`` bool is false take no part and come out NaN.
    """
    centres = np.zeros((num_classes, features.shape[1]))
    for rows, block in row_blocks(features):
        use = seen[rows]
        np.add.at(centres, labels[rows][use], _normalised(block[use]))
    centres = _normalised(centres)
    result = np.full(len(labels), np.nan)
    for rows, block in row_blocks(features):
        use = seen[rows]
        cosine = np.einsum("nd,nd->n", _normalised(block[use]), centres[labels[rows][use]])
        result[rows][use] = np.clip(1 - cosine, 0, 2)
    return result


def _normalised(rows: np.ndarray) -> np.ndarray:
    rows = np.asarray(rows, dtype=np.float64)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
