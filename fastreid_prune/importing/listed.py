"""What lists say about the samples of a data set on disk."""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.importing.matching import Tally
from fastreid_prune.io.names import dataset_names, person_numbers
from fastreid_prune.scored_run.verdicts import MISLABELLED, OUTLIER, Verdicts
from fastreid_prune.trajectory import Samples


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
        texts = [np.full(count, "", object) for _ in range(3)]
        return cls(np.full(count, np.nan), np.zeros(count, bool), *texts, method, source, Tally())

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


class People:
    """The identities of a data set by the numbers that lists and file names use."""

    def __init__(self, samples: Samples):
        self.known = set(samples.pid)
        numbers, self.own = person_numbers(samples.pid)
        self._by_number = {number: pid for pid, number in numbers.items()}
        sets = sorted(set(dataset_names(samples.pid)))
        self._prefix = (
            sets[0] if len(sets) == 1 and self.own and any("_" in pid for pid in self.known) else None
        )

    def __contains__(self, pid: str) -> bool:
        return pid in self.known

    def by_number(self, number: int) -> str | None:
        """The identity with this number; None if there is none."""
        return self._by_number.get(number)

    def new(self, number: int) -> str:
        """A name for an identity that the data set does not have, after the fashion of those that it has."""
        return f"{self._prefix}_{number}" if self._prefix else str(number)
