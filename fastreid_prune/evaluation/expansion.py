"""Average query expansion: each feature becomes a weighted mean of its neighbours'."""

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.evaluation.search import nearest


def expand(features: np.ndarray, k: int = 5, alpha: float = 3.0, times: int = 1) -> np.ndarray:
    """Replace each feature by the mean of its ``k`` nearest (itself among them), weighted by cosine^alpha.

    Chum et al., Total Recall, ICCV 2007, with the weights of Radenovic et al., Fine-tuning CNN Image
    Retrieval with No Human Annotation, TPAMI 2019, section 3.4; what fastreid's ``TEST.AQE`` does.

    Args:
        features: [N, D] finite floats, queries and gallery together.
        k: neighbours that are averaged, at least 1.
        alpha: exponent of the weights. Negative cosines count as 0 where it is not a whole number.
        times: how often.

    Returns:
        [N, D] float32.

    Raises:
        FastreidPruneError: features that are not such a matrix, or ``k`` or ``times`` below 1.

    Example:
        >>> expand(np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]), k=1)[1].round(3)
        array([0.8, 0.6], dtype=float32)
    """
    if times < 1:
        raise FastreidPruneError(f"times: expected 1 or more, found {times}.")
    for _ in range(times):
        rows, distances = nearest(features, features, k)
        cosine = 1 - distances
        weights = (cosine if float(alpha).is_integer() else np.maximum(cosine, 0)) ** alpha / rows.shape[1]
        expanded = np.zeros(features.shape, dtype=np.float32)
        for place in range(rows.shape[1]):
            expanded += weights[:, place, None].astype(np.float32) * features[rows[:, place]]
        features = expanded
    return features
