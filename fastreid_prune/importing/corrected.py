"""What a person said about the samples of a data set, image by image."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from fastreid_prune.importing.listed import People
from fastreid_prune.importing.matching import NameIndex, Tally
from fastreid_prune.trajectory import Samples

# what a person may call an image that shows nobody in particular
NOBODY = frozenset({"", "-1", "outlier", "junk", "distractor", "delete", "nobody"})


@dataclass
class Corrected:
    """Filled in by a reader.

    Attributes:
        samples: the data set.
        source: what was read, for the record.
        present: [N] bool, the person says something about the sample.
        pid: [N] str, the identity the person gives it; empty where it shows nobody.
        new_ids: identities that the data set does not have.
        tally: what matched and what did not.
    """

    samples: Samples
    source: dict
    present: np.ndarray = field(init=False)
    pid: np.ndarray = field(init=False)
    new_ids: set[str] = field(default_factory=set)
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self.present = np.zeros(len(self.samples), bool)
        self.pid = np.full(len(self.samples), "", object)
        self._people = People(self.samples)
        self._index: NameIndex | None = None

    @property
    def index(self) -> NameIndex:
        """The samples by name, renamed ones included."""
        if self._index is None:
            self._index = NameIndex(self.samples.file_name, renamed=True)
        return self._index

    def take_named(self, names: Sequence[str], people: Sequence[str]) -> None:
        """Take what is said about images that are known by name; ``people`` are identities or their numbers."""
        listed = pa.array([name.encode("utf-8", "replace").decode("utf-8") for name in names], pa.string())
        for row, person in zip(self.index.rows(listed, self.tally), people, strict=True):
            if row >= 0:
                self.take(int(row), person)

    def take(self, row: int, person: str) -> None:
        """Take that a sample shows this person: an identity, its number, or one of :data:`NOBODY`."""
        person = person.strip()
        if person in self._people:
            pid = person
        elif person.lower() in NOBODY:
            pid = ""
        elif person.isascii() and person.isdigit() and len(person) <= 9:
            pid = self._people.by_number(int(person)) or self._new(int(person))
        else:
            self.tally.note("name a person who is no identity and no number", [person[:80]])
            return
        self.present[row], self.pid[row] = True, pid

    def _new(self, number: int) -> str:
        """A number that the data set does not have is a new identity; 0 is Market-1501's for distractors."""
        if number == 0:
            return ""
        pid = self._people.new(number)
        self.new_ids.add(pid)
        return pid
