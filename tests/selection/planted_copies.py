"""Features with near-duplicates whose originals are known."""

import numpy as np


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def near_duplicates(rng, originals=60, copies=3, size=16, identities=6):
    """Originals with near-duplicates behind them, identities in turn; rows shuffled."""
    first = rng.normal(size=(originals, size))
    vectors = np.repeat(first, 1 + copies, axis=0) + rng.normal(
        scale=0.01, size=(originals * (1 + copies), size)
    )
    original = np.repeat(np.arange(originals), 1 + copies)
    order = rng.permutation(len(vectors))
    return unit(vectors[order]), original[order], (original % identities)[order]
