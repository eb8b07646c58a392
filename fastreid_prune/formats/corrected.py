"""What a person said about the samples of a data set, image by image."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from fastreid_prune.formats.matching import NameIndex, Tally
from fastreid_prune.formats.numbering import Identities, whole_number
from fastreid_prune.trajectory import Samples

# what a person calls an image that belongs to no identity, in small letters; -1 is Market-1501's number for junk
REMOVAL_TAGS = frozenset(
    {"-1", "-1.0", "outlier", "junk", "distractor", "delete", "remove", "drop", "discard", "nobody"}
)
# the pid of a sample that is to be removed
REMOVED = ""


@dataclass
class Corrected:
    """Filled in by a reader. What is not said, or not understood, is left as the data set has it.

    Attributes:
        samples: the data set.
        source: what was read, for the record.
        present: [N] bool, the person says something about the sample.
        pid: [N] str, the identity the person gives it; :data:`REMOVED` where it belongs to none.
        pruned: [N] bool, left out of training though its label is right.
        score: [N] float64, higher = more worth keeping; NaN where nothing ranks the sample.
        method: the score's name.
        new_ids: identities that the data set does not have.
        tally: what matched and what did not.
        base: the manifest that the corrected copy was made from, where it lies beside it.
    """

    samples: Samples
    source: dict
    present: np.ndarray = field(init=False)
    pid: np.ndarray = field(init=False)
    pruned: np.ndarray = field(init=False)
    score: np.ndarray = field(init=False)
    method: str = "by hand"
    new_ids: set[str] = field(default_factory=set)
    tally: Tally = field(default_factory=Tally)
    base: Path | None = None
    identities: Identities = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.samples)
        self.present, self.pruned = np.zeros(count, bool), np.zeros(count, bool)
        self.pid, self.score = np.full(count, REMOVED, object), np.full(count, np.nan)
        self.identities = Identities(self.samples.pid)
        self._contradicted: set[int] = set()

    def take_named(
        self,
        index: NameIndex,
        names: Sequence[str],
        people: Sequence[str | None],
        *,
        any_name: bool = False,
        again: bool = True,
    ) -> np.ndarray:
        """Take what is said about images that are known by name.

        Args:
            index: the samples by name.
            names: [n], of images.
            people: [n], as for :meth:`take`; None where nothing is said.
            any_name: as for :meth:`take`.
            again: an image may be named twice, and keeps its label where that contradicts itself.

        Returns:
            the row of each, [n] int64; -1 where a name is none of the data set.
        """
        listed = pa.array([name.encode("utf-8", "replace").decode("utf-8") for name in names], pa.string())
        rows = index.rows(listed, self.tally, again)
        for row, person in zip(rows, people, strict=True):
            if row >= 0 and person is not None:
                self.take(int(row), person, any_name)
        return rows

    def take(self, row: int, person: str, any_name: bool = False) -> None:
        """Take that a sample shows this person.

        Args:
            row: the sample.
            person: an identity, its number, or one of :data:`REMOVAL_TAGS`.
            any_name: a name that the data set does not have is a new identity, and not only a number.
        """
        # as it stands first: an identity's name may begin or end with a blank, and be nothing else
        pid = person if person in self.identities else self._meaning(person.strip(), any_name)
        if pid is None:
            self.tally.remark("name a person who is no identity and no number", [person[:80]])
        elif row in self._contradicted or (self.present[row] and self.pid[row] != pid):
            self.tally.remark("contradict another about the same image", [self.samples.file_name[row]])
            self._contradicted.add(row)
            self.present[row] = False
        else:
            self.present[row], self.pid[row] = True, pid

    def _meaning(self, person: str, any_name: bool) -> str | None:
        """The identity that is meant, :data:`REMOVED`, or None where that is not clear."""
        pid = self.identities.find(person)
        if pid is not None:
            return pid
        if person.lower() in REMOVAL_TAGS:
            return REMOVED
        number = whole_number(person)
        if number:
            pid = self.identities.new(number)
        elif any_name and person and number is None:
            pid = person
        else:
            # 0 is what a field holds that nobody has filled in
            return None
        self.new_ids.add(pid)
        return pid
