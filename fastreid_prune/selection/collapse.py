"""Near-duplicates: images of one identity collapsed, the closest pair first, the less important of a pair goes."""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.io.bars import bar
from fastreid_prune.scored_run.features import Features
from fastreid_prune.selection.blocks import LARGEST, identity_blocks
from fastreid_prune.selection.ranking import hardest_first

# samples from which on a progress bar is worth while
_SHOWN = 50_000


@dataclass(frozen=True, eq=False)
class Collapse:
    """The order in which M samples go, if each time the closest pair of an identity loses one.

    Attributes:
        rows: [M] int64, the first to go first. The last sample of a block has no other to be near to and is not
            named.
        partner: [M] int64, the sample of the pair that stayed at that step.
        similarity: [M] float32, cosine of the pair, falling.
    """

    rows: np.ndarray
    partner: np.ndarray
    similarity: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)


def collapse(
    features: Features,
    labels: np.ndarray,
    scores: np.ndarray,
    candidates: np.ndarray,
    file_names: np.ndarray,
    largest: int = LARGEST,
) -> Collapse:
    """Collapse the near-duplicates of each identity.

    Entropy and its like give near-duplicates near-equal scores and so keep or drop them together; features see that
    they are the same. Here the features say that one of a pair can go, and the score says which.

    Args:
        features: [N, D] float32.
        labels: [N] int64, identities.
        scores: [N] float, higher = more worth keeping; NaN only where no candidate.
        candidates: [N] bool.
        file_names: [N] str, break ties.
        largest: an identity with more samples is looked at in parts of at most this many.
    """
    importance = np.empty(len(scores), np.int64)
    importance[hardest_first(scores, file_names)] = np.arange(len(scores))[::-1]
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    those = np.flatnonzero(candidates)
    with bar("looking for near-duplicates", len(those), shown=len(those) > _SHOWN) as advance:
        for rows, vectors in identity_blocks(features, labels, those, largest):
            gone, stayed, similarity = collapse_block(vectors, importance[rows])
            found.append((rows[gone], rows[stayed], similarity))
            advance(len(rows))
    if not found:
        return Collapse(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    rows, partner, similarity = (np.concatenate(column) for column in zip(*found, strict=True))
    # ties in similarity (exact copies): the less important goes first, and no order of the files decides
    order = np.lexsort((importance[rows], -similarity))
    return Collapse(rows[order], partner[order], similarity[order])


def collapse_block(vectors: np.ndarray, importance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Take away one of the closest pair until one sample is left.

    Args:
        vectors: [n, D] float32 of length 1.
        importance: [n] int64, no two equal; of a pair, the lower one goes.

    Returns:
        gone [n - 1] int64, stayed [n - 1] int64, similarity [n - 1] float32, in the order of going.
    """
    count = len(vectors)
    gone, stayed = np.empty(max(count - 1, 0), np.int64), np.empty(max(count - 1, 0), np.int64)
    level = np.empty(max(count - 1, 0), np.float32)
    if count < 2:
        return gone, stayed, level
    similar = vectors @ vectors.T
    np.fill_diagonal(similar, -np.inf)
    nearest = similar.argmax(1)
    best = similar[np.arange(count), nearest]
    for step in range(count - 1):
        one = int(best.argmax())
        other = int(nearest[one])
        if importance[one] > importance[other]:
            one, other = other, one
        gone[step], stayed[step], level[step] = one, other, similar[one, other]
        similar[one], similar[:, one], best[one] = -np.inf, -np.inf, -np.inf
        lost = np.flatnonzero((nearest == one) & (best > -np.inf))
        if len(lost):
            nearest[lost] = similar[lost].argmax(1)
            best[lost] = similar[lost, nearest[lost]]
    return gone, stayed, np.minimum.accumulate(level)
