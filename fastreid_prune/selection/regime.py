"""How redundant a data set is, and so what to expect of pruning it: told from one scored run."""

import math
from dataclasses import asdict, dataclass

import numpy as np

from fastreid_prune.scored_run.features import Features
from fastreid_prune.selection.collapse import Collapse
from fastreid_prune.selection.pool import Pool

# A near-duplicate is this much closer to its partner than two images of an identity usually are. Measured on sets
# whose near-duplicates are known: of rendered figures it finds 84 % with two networks, and calls 4 to 6 % of distinct
# street images near-duplicates.
NEAR = 0.25
# A sample is learnt when the model hesitates between fewer than two identities: exp(entropy) < 2.
LEARNT = math.log(2)
# A model that is right on fewer of its own training images has not learnt enough to show which of them are alike.
# The threshold is ours; the recipes here end at 0.75 to 0.99 on people, at 0.55 to 0.83 on handwritten characters.
LEAST_RIGHT = 0.5


@dataclass(frozen=True)
class Regime:
    """What one scored run says of a data set.

    Attributes:
        samples: those that count (no outliers).
        identities: among them.
        images_per_identity: median.
        near_duplicates: the share of the samples that can go while each leaves a near-duplicate of its identity
            behind, in [0, 1]; None where the run kept no features.
        distinct: how many samples are left when they are gone; None as above.
        learnt: the share of the samples between whose identity and others the model does not hesitate, in [0, 1].
        spread: the usual cosine distance (1 - similarity) of two images of an identity; None as above.
        right: the share of the samples on which the model was right in its last epoch, in [0, 1]; None if not known.
    """

    samples: int
    identities: int
    images_per_identity: float
    near_duplicates: float | None
    distinct: int | None
    learnt: float
    spread: float | None
    right: float | None = None

    @property
    def known(self) -> bool:
        """Whether the model learnt enough to tell; where that is not recorded, it is taken to have."""
        return self.right is None or self.right >= LEAST_RIGHT

    def method(self, ratio: float) -> str:
        """The strategy for pruning this fraction: ``redundancy_aware``, ``hardest_first`` or ``stratified``."""
        if not self.known:
            return "stratified"
        if self.near_duplicates is not None and self.near_duplicates >= ratio:
            return "redundancy_aware"
        return "hardest_first" if self.learnt >= ratio else "stratified"

    def expectation(self, ratio: float) -> str:
        """What pruning this fraction is likely to do to accuracy, in words. An expectation, no measurement."""
        if not ratio:
            return "Nothing is pruned."
        if not self.known and self.right is not None:
            return (
                f"The scoring model is right on only {100 * (self.right or 0):.0f} % of its training images in its "
                "last epoch: it has learnt too little to tell how redundant the set is, and no method can be expected "
                "to beat chance. Score for more epochs, with pretrained weights or at a higher resolution."
            )
        percent = f"{100 * ratio:g} %"
        return {
            "redundancy_aware": f"{percent} can go as near-duplicates, which the method auto takes: little loss is "
            "likely.",
            "hardest_first": f"More than {percent} are learnt without hesitation: little loss is likely "
            "when the easiest go.",
            "stratified": f"{percent} is more than is redundant: accuracy is likely to fall, whichever method chooses; "
            "what is hardest is not what is most worth keeping here.",
        }[self.method(ratio)]

    @property
    def words(self) -> str:
        """How redundant the set is."""
        copies = (
            "near-duplicates are not known (the run kept no features)"
            if self.near_duplicates is None
            else f"{100 * self.near_duplicates:.0f} % near-duplicates, {self.distinct} distinct"
        )
        return (
            f"{self.samples} samples of {self.identities} identities (median {self.images_per_identity:g} each): "
            f"{copies}; {100 * self.learnt:.0f} % learnt without hesitation."
        )

    def as_dict(self) -> dict:
        """For a JSON."""
        return asdict(self)


def measure(
    pool: Pool, entropy: np.ndarray, collapsed: Collapse | None, right: float | None = None
) -> Regime:
    """The regime of the samples in a pool.

    Args:
        pool: the samples.
        entropy: [N] float, nats, of their soft labels.
        collapsed: of :func:`.redundancy.collapse_pool`; None without features.
        right: the share of the samples on which the model was right in its last epoch, if known.
    """
    there = pool.candidates
    sizes = np.bincount(pool.labels[there])
    sizes = sizes[sizes > 0]
    count = int(there.sum())
    near = spread = None
    if collapsed is not None and pool.features is not None:
        spread = usual_distance(pool.features, pool.labels, pool.candidates)
        near = int(is_near(collapsed, spread).sum())
    known = np.asarray(entropy, np.float64)[there]
    return Regime(
        samples=count,
        identities=len(sizes),
        images_per_identity=float(np.median(sizes)) if len(sizes) else 0.0,
        near_duplicates=None if near is None else round(near / max(count, 1), 4),
        distinct=None if near is None else count - near,
        learnt=round(float((known < LEARNT).mean()), 4) if count else 0.0,
        spread=None if spread is None else round(spread, 4),
        right=None if right is None else round(right, 4),
    )


def is_near(collapsed: Collapse, spread: float, near: float = NEAR) -> np.ndarray:
    """[M] bool: which steps of a collapse took a near-duplicate; always a beginning, as similarity falls."""
    return 1 - collapsed.similarity < near * spread


def usual_distance(
    features: Features, labels: np.ndarray, candidates: np.ndarray, pairs: int = 200_000, seed: int = 0
) -> float:
    """The median cosine distance of two images of an identity, from at most so many pairs drawn by chance.

    Args:
        features: [N, D] float32, of any length.
        labels: [N] int64, identities.
        candidates: [N] bool, the samples that count.
        pairs: how many at most.
        seed: of the draw.
    """
    rows = np.flatnonzero(candidates)
    labels = labels[rows]
    order = np.argsort(labels, kind="stable")
    rows, labels = rows[order], labels[order]
    starts = np.searchsorted(labels, labels)
    sizes = np.searchsorted(labels, labels, side="right") - starts
    rng = np.random.default_rng(seed)
    one = rng.choice(len(rows), min(pairs, 4 * len(rows))) if len(rows) else np.empty(0, np.int64)
    one = one[sizes[one] > 1]
    other = starts[one] + (one - starts[one] + rng.integers(1, sizes[one])) % sizes[one] if len(one) else one
    distances = np.empty(len(one))
    for start in range(0, len(one), 8192):
        part = slice(start, start + 8192)
        a, b = (np.asarray(features[rows[side[part]]], np.float32) for side in (one, other))
        length = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        distances[part] = 1 - np.einsum("nd,nd->n", a, b) / np.where(length > 0, length, np.nan)
    distances = distances[np.isfinite(distances)]
    return float(np.median(distances)) if len(distances) else 0.0
