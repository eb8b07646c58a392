"""What a strategy chooses from, and how a choice becomes the samples that stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.scored_run.features import Features
from fastreid_prune.selection.floors import last_of_groups
from fastreid_prune.selection.ranking import checked_scores, pruned_count


@dataclass(frozen=True, eq=False)
class Pool:
    """N samples to choose from.

    Attributes:
        scores: [N] float, importance, higher = more worth keeping; NaN only where excluded.
        file_names: [N] str, break ties.
        pids: [N] str, identities to train with.
        camids: [N] str.
        features: [N, D] float32, of any length, memory-mapped or not; None where the run kept none. Rows that
            are not finite are no near-duplicate of anything.
        excluded: [N] bool, gone already (outliers, unreadable): they do not count.
        protected: [N] bool, never pruned; they count.
        doubted: [D] int64, rows whose label is doubted, the most doubted first: what ``auto`` prunes before anything
            else.
        keep_per_identity: how many images of each identity pruning never takes, at least.
        keep_per_camera: how many of each identity in each camera.
    """

    scores: np.ndarray
    file_names: Sequence[str] | np.ndarray
    pids: Sequence[str] | np.ndarray
    camids: Sequence[str] | np.ndarray
    features: Features | None = None
    excluded: np.ndarray | None = None
    protected: np.ndarray | None = None
    doubted: np.ndarray | None = None
    keep_per_identity: int = 0
    keep_per_camera: int = 0

    def __post_init__(self) -> None:
        """Refuse columns that do not belong together, and samples without a score."""
        total = len(checked_scores(self.scores))
        columns = ("file_names", "pids", "camids", "features", "excluded", "protected")
        lengths = {
            name: len(getattr(self, name)) for name in columns if getattr(self, name, None) is not None
        }
        wrong = {name: length for name, length in lengths.items() if length != total}
        if wrong:
            raise FastreidPruneError(f"pool: expected {total} of each, one a score, found {wrong}.")
        if min(self.keep_per_identity, self.keep_per_camera) < 0:
            raise FastreidPruneError(
                f"keep_per_identity={self.keep_per_identity}, keep_per_camera={self.keep_per_camera}: expected "
                "counts of at least 0."
            )
        unscored = np.flatnonzero(np.isnan(np.asarray(self.scores, np.float64)) & self.candidates)
        if len(unscored):
            raise FastreidPruneError(
                f"scores: {len(unscored)} of {total} are NaN, the first in row {unscored[0]}. Score every "
                "sample, or exclude those that cannot be scored."
            )

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def candidates(self) -> np.ndarray:
        """[N] bool: the samples that are there, protected ones included."""
        if self.excluded is None:
            return np.ones(len(self.scores), bool)
        return ~np.asarray(self.excluded, bool)

    @cached_property
    def labels(self) -> np.ndarray:
        """[N] int64, identities numbered in the order of their names."""
        return np.unique(np.asarray(self.pids, dtype=str), return_inverse=True)[1]

    @cached_property
    def tracks(self) -> np.ndarray:
        """[N] int64, numbers of (identity, camera)."""
        cameras = np.unique(np.asarray(self.camids, dtype=str), return_inverse=True)[1]
        return np.unique(self.labels * (cameras.max(initial=0) + 1) + cameras, return_inverse=True)[1]

    def without_first(self, order: np.ndarray, ratio: float) -> np.ndarray:
        """The samples that stay, [N] bool, when those that ``order`` names first are pruned.

        Args:
            order: rows, the first to go first; it must name every candidate.
            ratio: the fraction to prune of the candidates, in [0, 1). Floors and protected samples may leave
                fewer to prune.
        """
        keep = self.candidates
        order = np.asarray(order, np.int64)
        order = order[keep[order]]
        count = pruned_count(len(order), ratio)
        safe = (
            np.zeros(len(self), bool) if self.protected is None else np.asarray(self.protected, bool).copy()
        )
        for groups, floor in ((self.labels, self.keep_per_identity), (self.tracks, self.keep_per_camera)):
            if floor:
                safe[last_of_groups(order, groups, floor, safe)] = True
        keep[order[~safe[order]][:count]] = False
        return keep
