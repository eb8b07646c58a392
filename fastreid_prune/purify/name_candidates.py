"""Labels that may be replaced by a suggested one: how many of them are right as they are, and how many names are."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import expit

from fastreid_prune.purify.false_alarms import TAIL_SHARE, FalseAlarms
from fastreid_prune.purify.fitting import Injected, Scores

# of those named, the share that may be lost to being sure that the label is wrong at all
_SPARED = 0.05
# how many of the most doubted labels among those that are still mostly right tell how often a right label is named;
# the highest share counts
_WINDOWS = (25, 50, 100)
_MOSTLY = 0.75


@dataclass(frozen=True)
class NameCandidates:
    """Samples by the score that their label is wrong and the suggested identity right; see :class:`.claims.Candidates`.

    A verdict needs that score, and besides nearly the score of being wrong at all that such samples have.

    Right labels among the verdicts are those expected beyond the score of being wrong (:mod:`.false_alarms`), times the
    share of right labels as doubtful that are as clearly like one other identity. That share is taken where labels are
    doubted most and yet mostly right, errors among them counted as if they were right.

    Of errors that show none of the identities (outliers) nobody knows how many there are. As many are expected among
    the verdicts as explain the scores of all best beside right labels and wrong ones, if they score as synthetic
    outliers do.

    Whether a name is right the injected wrong labels tell. The right name is what the data set says, which may be wrong
    itself: where it is, the suggestion cannot agree. So a name that does not agree counts by the chance that the data
    set's label of the sample is right.

    Injected wrong labels are single: hardly two of them go from one identity to the same other one. Errors that come in
    groups do, and names for them are not vouched for.

    Attributes:
        scores: of the n samples that nothing was done to.
        alarms: the right labels among them, by the score of being wrong.
        outliers: by the score of being named, errors that score as the injected wrong labels and as the synthetic
            outliers.
        injected: the injected errors.
        control: [S] float64, the ``unfit`` scores of their samples under the label of the data set.
        pair: [n] int64, see :class:`.fitting.Injected`.
    """

    scores: Scores
    alarms: FalseAlarms
    outliers: FalseAlarms
    injected: Injected
    control: np.ndarray
    pair: np.ndarray

    @cached_property
    def _likeness(self) -> np.ndarray:
        """[n], how clearly a sample is like one other identity, in [0, 1]."""
        return np.minimum(expit(self.scores.named) / expit(self.scores.unfit), 1.0)

    @cached_property
    def _believed(self) -> np.ndarray:
        """[S] float64, how far the data set's label of each injected wrong label is believed."""
        return np.where(self.injected.name_right, 1.0, 1 - self.alarms.error_share(self.control))

    @cached_property
    def _doubted_but_right(self) -> np.ndarray:
        """Rows in the tail where labels are mostly right, the most doubted first."""
        end = self.alarms.mostly_right_below(_MOSTLY)
        rows = np.flatnonzero((self.scores.unfit >= self.alarms.start) & (self.scores.unfit < end))
        return rows[np.argsort(-self.scores.unfit[rows], kind="stable")]

    def thresholds(self) -> np.ndarray:
        """See :class:`.claims.Candidates`."""
        return np.unique(self.scores.named[self.scores.unfit >= self.alarms.start])[::-1]

    def least_unfit(self, threshold: float) -> float:
        """The score of being wrong at all that a verdict needs besides."""
        chosen = self.scores.unfit[self.scores.named >= threshold]
        return float(np.quantile(chosen, _SPARED)) if len(chosen) else np.inf

    def count(self, threshold: float) -> int:
        """See :class:`.claims.Candidates`."""
        return int(self._beyond(self.scores, threshold).sum())

    def right_labels(self, threshold: float) -> np.ndarray:
        """See :class:`.claims.Candidates`."""
        named = self._likeness[self._doubted_but_right] >= expit(threshold)
        windows = [(int(named[:size].sum()), len(named[:size])) for size in (*_WINDOWS, len(named))]
        hit, size = max(windows, key=lambda one: (one[0] + 0.5) / (one[1] + 1))
        share = _rng(threshold).beta(hit + 0.5, size - hit + 0.5, self.alarms.draws)
        return share * self.alarms.right_beyond(self.least_unfit(threshold))

    def wrong_names(self, threshold: float) -> np.ndarray:
        """See :class:`.claims.Candidates`: outliers that look like somebody."""
        return self.outliers.errors_beyond(threshold, 1)

    def names(self, threshold: float) -> tuple[float, float]:
        """See :class:`.claims.Candidates`."""
        found = self._beyond(self.injected.switched, threshold)
        return float(self._believed[found].sum()), float((found & self.injected.name_right).sum())

    def in_groups(self, threshold: float) -> float:
        """The share of the verdicts that go from one identity to one other together, beyond what injected wrong labels
        do: the lower end of its interval."""
        chosen = self.pair[self._beyond(self.scores, threshold)]
        number = np.unique(chosen, return_inverse=True, return_counts=True)
        together = (number[2][number[1]] > 1) if len(chosen) else np.zeros(0, bool)
        known = np.isin(self.injected.pair[self._beyond(self.injected.switched, threshold)], chosen)
        rng = _rng(threshold)
        share, by_chance = (
            rng.beta(one.sum() + 0.5, (~one).sum() + 0.5, self.alarms.draws) for one in (together, known)
        )
        return float(np.quantile((share - by_chance) / (1 - by_chance), TAIL_SHARE))

    def _beyond(self, scores: Scores, threshold: float) -> np.ndarray:
        return (scores.named >= threshold) & (scores.unfit >= self.least_unfit(threshold))


def _rng(threshold: float) -> np.random.Generator:
    """Chance that is the same for the same threshold."""
    return np.random.default_rng(np.frombuffer(np.float64(threshold).tobytes(), np.uint32))
