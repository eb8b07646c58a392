"""Labels that may be replaced by a suggested one: how many of them are right as they are, and how many names are."""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.purify.false_alarms import FalseAlarms
from fastreid_prune.purify.fitting import Injected, Scores

# of those named, the share that may be lost to being sure that the label is wrong at all
_SPARED = 0.05


@dataclass(frozen=True)
class NameCandidates:
    """Samples by the score that their label is wrong and the suggested identity right; see :class:`.claims.Candidates`.

    A verdict needs that score, and besides nearly the score of being wrong at all that such samples have. Either bounds
    how many right labels are among them, and the lower of the two bounds is taken.

    Whether a name is right the injected wrong labels tell. The right name is what the data set says, which may be wrong
    itself: where it is, the suggestion cannot agree. So samples whose own label the judge would not believe either,
    by a verdict as sure as asked for, are left out.

    Attributes:
        scores: of the n samples that nothing was done to.
        named, unfit: the right labels among them, by either score.
        injected: the injected errors.
        control: [S] float64, the ``unfit`` scores of their samples under the label of the data set.
        sure: the ``unfit`` score from which such a label is not believed.
    """

    scores: Scores
    named: FalseAlarms
    unfit: FalseAlarms
    injected: Injected
    control: np.ndarray
    sure: float

    def thresholds(self) -> np.ndarray:
        """See :class:`.claims.Candidates`."""
        return np.unique(self.scores.named[self.scores.named >= self.named.start])[::-1]

    def least_unfit(self, threshold: float) -> float:
        """The score of being wrong at all that a verdict needs besides."""
        chosen = self.scores.unfit[self.scores.named >= threshold]
        return float(np.quantile(chosen, _SPARED)) if len(chosen) else np.inf

    def count(self, threshold: float) -> int:
        """See :class:`.claims.Candidates`."""
        return int(self._beyond(self.scores, threshold).sum())

    def right_labels(self, threshold: float) -> np.ndarray:
        """See :class:`.claims.Candidates`."""
        bounds = self.named.right_beyond(threshold), self.unfit.right_beyond(self.least_unfit(threshold))
        return min(bounds, key=lambda draws: float(draws.mean()))

    def wrong_names(self, threshold: float) -> np.ndarray:
        """See :class:`.claims.Candidates`: outliers that look like somebody."""
        return self.named.errors_beyond(threshold, 1)

    def names(self, threshold: float) -> tuple[int, int]:
        """See :class:`.claims.Candidates`."""
        found = self._beyond(self.injected.switched, threshold)
        right = found & self.injected.name_right
        believed = right | (self.control < self.sure)
        return int((found & believed).sum()), int(right.sum())

    def _beyond(self, scores: Scores, threshold: float) -> np.ndarray:
        return (scores.named >= threshold) & (scores.unfit >= self.least_unfit(threshold))
