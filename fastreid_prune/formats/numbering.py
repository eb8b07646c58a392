"""The identities of a data set by what lists, annotations and file names call them."""

import re
from collections.abc import Iterable, Mapping

import numpy as np

from fastreid_prune.io.names import dataset_names, person_numbers

# a number, however it was padded or came back from a table
_NUMBER = re.compile(r"0*([0-9]{1,9})(?:\.0+)?")


def whole_number(text: str) -> int | None:
    """The number that a text writes out, padded or with a fraction of zeros; None if it is none.

    >>> whole_number("0007"), whole_number("7.0"), whole_number("7.5"), whole_number("m_7")
    (7, 7, None, None)
    """
    match = _NUMBER.fullmatch(text)
    return int(match.group(1)) if match else None


class Identities:
    """The identities of a data set, looked up by name or number."""

    def __init__(self, pids: np.ndarray | Iterable[str], numbers: Mapping[str, int] | None = None):
        """Index identities.

        Args:
            pids: of each sample; an identity may be there many times.
            numbers: identity -> its number; by default the one that ends its name (2 of ``market1501_2``) where all
                have one, else 1, 2, ... as they sort.
        """
        pids = np.array([*pids, None], object)[:-1]
        self._known = set(pids)
        own, have_numbers = person_numbers(pids)
        self._by_number = {number: pid for pid, number in (own if numbers is None else numbers).items()}
        sets = sorted(set(dataset_names(pids)))
        one_set = len(sets) == 1 and have_numbers and any("_" in pid for pid in self._known)
        self._prefix = f"{sets[0]}_" if one_set else ""

    def __contains__(self, pid: str) -> bool:
        return pid in self._known

    def find(self, text: str) -> str | None:
        """The identity of this name or number; None if there is none.

        >>> identities = Identities(["market1501_7", "market1501_12"])
        >>> identities.find("market1501_7"), identities.find("0007"), identities.find("12.0"), identities.find("8")
        ('market1501_7', 'market1501_7', 'market1501_12', None)
        """
        if text in self._known:
            return text
        number = whole_number(text)
        return None if number is None else self._by_number.get(number)

    def by_number(self, number: int) -> str | None:
        """The identity with this number; None if there is none."""
        return self._by_number.get(number)

    def new(self, number: int) -> str:
        """A name for an identity that the data set does not have, after the fashion of those that it has."""
        return f"{self._prefix}{number}"
