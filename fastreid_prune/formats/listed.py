"""What lists say about the samples of a data set on disk."""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats.matching import Tally
from fastreid_prune.scored_run.verdicts import MISLABELLED, OUTLIER, Verdicts


@dataclass
class Listed:
    """Filled in by a reader, row by row of the data set.

    Attributes:
        score: [N] float64, higher = more worth keeping; NaN where the lists have none.
        listed: [N] bool, whether the lists name the sample at all.
        verdict: [N] str, as in :class:`Verdicts`.
        suggested_pid: [N] str, the identity of mislabelled samples.
        reason: [N] str.
        method: the score's name.
        source: what the lists are and their digests, for the record.
        tally: what matched and what did not.
        judged: whether the lists hold verdicts.
    """

    score: np.ndarray
    listed: np.ndarray
    verdict: np.ndarray
    suggested_pid: np.ndarray
    reason: np.ndarray
    method: str
    source: dict
    tally: Tally
    judged: bool = False

    @classmethod
    def nothing(cls, count: int, method: str, source: dict) -> "Listed":
        """Of ``count`` samples nothing is known."""
        verdict, suggested, reason = (np.full(count, "", object) for _ in range(3))
        unknown, unlisted = np.full(count, np.nan), np.zeros(count, bool)
        return cls(unknown, unlisted, verdict, suggested, reason, method, source, Tally())

    def verdicts(self) -> Verdicts:
        """As the rest of the package has them."""
        count = len(self.verdict)
        empty, unknown = np.full(count, "", object), np.full(count, np.nan)
        return Verdicts(self.verdict, self.suggested_pid, empty, unknown, self.reason)

    def mislabelled(self, row: int, pid: str) -> None:
        """Say that a sample shows ``pid``."""
        self.verdict[row], self.suggested_pid[row] = MISLABELLED, pid

    def outlier(self, rows: np.ndarray, reason: str) -> None:
        """Say that samples belong to no identity."""
        self.verdict[rows], self.suggested_pid[rows], self.reason[rows] = OUTLIER, "", reason


def merge(parts: list[Listed]) -> Listed:
    """Lists of several data sets as one. What one of them does not know another may.

    Raises:
        FastreidPruneError: they are ranked by different scores.
    """
    first = parts[0]
    if len({part.method for part in parts}) > 1:
        raise FastreidPruneError(
            f"the lists are ranked by {sorted({part.method for part in parts})}; choose a method."
        )
    for part in parts[1:]:
        fresh = part.listed & ~first.listed
        for name in ("score", "listed", "verdict", "suggested_pid", "reason"):
            getattr(first, name)[fresh] = getattr(part, name)[fresh]
        first.judged |= part.judged
        first.source = {**first.source, "and": {**part.source, **first.source.get("and", {})}}
        first.tally.add(part.tally)
    return first
