"""Finding the samples of a data set on disk by names that somebody listed.

A listed name is never opened: it is compared with the names of the data set. Equal names match. Else, since the
folder of the data sets differs from one machine to the next, names match whose last two components, or last one, are
equal and occur once in the data set; then the same without the ending of the name.
"""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fastreid_prune.io.names import examples

_SUSPICIOUS = r"\x00|(^|[/\\])\.\.([/\\]|$)"
_ENDING = r"\.(?i:jpe?g|png|bmp|webp|tiff?|gif|ppm)"
_LAST_ONE, _LAST_TWO = r"(?P<name>[^/\\]+)$", r"(?P<name>[^/\\]+[/\\][^/\\]+)$"
_STEM_OF_TWO = rf"(?P<name>[^/\\]+[/\\][^/\\]+?)(?:{_ENDING})?$"
_STEM_OF_ONE = rf"(?P<name>[^/\\]+?)(?:{_ENDING})?$"
# what follows the person in Market-1501's names: a person who corrects a label renames the image before it
_AFTER_PERSON = rf"(?:^|[/\\])-?[0-9]+_(?P<name>c[0-9]+[^/\\]*?)(?:{_ENDING})?$"
# CVAT puts a number behind a name that two tasks of a project have
_BEFORE_NUMBER = rf"(?:^|[/\\])(?P<name>[^/\\]+?)_[0-9]{{1,2}}(?:{_ENDING})?$"
_EXAMPLES = 5


@dataclass
class Tally:
    """What became of the rows of a list, counted; the first few of each kind are kept to be named.

    Attributes:
        rows: how many there were.
        matched: how many are a sample of the data set.
        by_part: how many of these only by a part of the name.
        problems: what is wrong with rows that match nothing -> how many rows.
        remarks: what is to be said of others -> how many.
        named: what is wrong or to be said -> the first few names.
    """

    rows: int = 0
    matched: int = 0
    by_part: int = 0
    problems: dict[str, int] = field(default_factory=dict)
    remarks: dict[str, int] = field(default_factory=dict)
    named: dict[str, list[str]] = field(default_factory=dict)

    def note(self, what: str, names: pa.Array | list[str], count: int | None = None) -> None:
        """Count rows with a problem; ``names`` are (the first of) theirs."""
        self._count(self.problems, what, names, count)

    def remark(self, what: str, names: pa.Array | list[str], count: int | None = None) -> None:
        """Count rows of which there is something to say, whether they match or not."""
        self._count(self.remarks, what, names, count)

    def _count(self, into: dict[str, int], what: str, names: pa.Array | list[str], count: int | None) -> None:
        count = len(names) if count is None else count
        if count:
            into[what] = into.get(what, 0) + count
            few = self.named.setdefault(what, [])
            for name in names[: _EXAMPLES - len(few)]:
                few.append(name.as_py() if isinstance(name, pa.Scalar) else name)

    def add(self, other: "Tally") -> None:
        """Take another list's counts in."""
        self.rows += other.rows
        self.matched += other.matched
        self.by_part += other.by_part
        for own, theirs in ((self.problems, other.problems), (self.remarks, other.remarks)):
            for what, count in theirs.items():
                self._count(own, what, other.named[what], count)

    def lines(self) -> list[str]:
        """One line a problem, with examples."""
        return [
            f"{count} rows {what}" + (f": {examples(self.named[what], count)}" if self.named[what] else "")
            for what, count in (*self.problems.items(), *self.remarks.items())
        ]

    def unmatched_example(self) -> str | None:
        """One listed name that matches nothing; None where there is none."""
        names = [name for what in self.problems for name in self.named[what]]
        return names[0] if names else None


class NameIndex:
    """The samples of a data set by name."""

    def __init__(self, file_names: np.ndarray, renamed: bool = False, numbered: bool = False):
        """Index [N] names.

        Args:
            file_names: of the data set.
            renamed: match by what follows the person in Market-1501's names, too.
            numbered: match listed names with a number put behind them, too.
        """
        self.names = pa.array(file_names, pa.string())
        steps = [(pattern, pattern) for pattern in (_LAST_TWO, _LAST_ONE, _STEM_OF_TWO, _STEM_OF_ONE)]
        if renamed:
            steps.append((_AFTER_PERSON, _AFTER_PERSON))
        if numbered:
            steps.append((_BEFORE_NUMBER, _STEM_OF_ONE))
        self.steps = [(listed, *_unique(_part(self.names, own))) for listed, own in steps]
        self.seen = np.zeros(len(file_names), bool)

    def rows(self, listed: pa.Array, tally: Tally, again: bool = False) -> np.ndarray:
        """The sample of each listed name, [n] int64; -1 where there is none.

        Names that do not match are counted in ``tally``, and names of an image that came before, which do not match
        either unless they may come ``again``.
        """
        suspicious = np.asarray(pc.match_substring_regex(listed, _SUSPICIOUS), bool)
        rows = _positions(listed, self.names)
        rows[suspicious] = -1
        for pattern, values, places in self.steps:
            missing = np.flatnonzero((rows < 0) & ~suspicious)
            if len(missing) and len(values):
                found = _positions(_part(listed.take(pa.array(missing)), pattern), values)
                rows[missing[found >= 0]] = places[found[found >= 0]]
                tally.by_part += int((found >= 0).sum())
        unknown = (rows < 0) & ~suspicious
        tally.rows += len(listed)
        tally.note("have a name that leaves its folder", _few(listed, suspicious), int(suspicious.sum()))
        tally.note("name no image of the data set", _few(listed, unknown), int(unknown.sum()))
        if not again:
            repeated = self._repeated(rows)
            tally.note("name an image again", _few(listed, repeated), int(repeated.sum()))
            rows[repeated] = -1
        tally.matched += int((rows >= 0).sum())
        return rows

    def _repeated(self, rows: np.ndarray) -> np.ndarray:
        """[n] bool: rows that an earlier one, of this block or before, has named already."""
        known = np.flatnonzero(rows >= 0)
        first = np.zeros(len(rows), bool)
        first[known[np.unique(rows[known], return_index=True)[1]]] = True
        first[known] &= ~self.seen[rows[known]]
        self.seen[rows[known]] = True
        return (rows >= 0) & ~first


def _few(names: pa.Array, chosen: np.ndarray) -> list[str]:
    return names.take(pa.array(np.flatnonzero(chosen)[:_EXAMPLES])).to_pylist()


def _positions(values: pa.Array, among: pa.Array) -> np.ndarray:
    return pc.fill_null(pc.index_in(values, value_set=among, skip_nulls=True), -1).to_numpy().astype(np.int64)


def _part(names: pa.Array, pattern: str) -> pa.Array:
    part = pc.struct_field(pc.extract_regex(names, pattern), "name")
    return pc.replace_substring(part, "\\", "/")


def _unique(values: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """The values that occur once, and where."""
    encoded = pc.dictionary_encode(values)
    codes = pc.fill_null(encoded.indices, -1).to_numpy()
    counts = np.bincount(codes[codes >= 0], minlength=len(encoded.dictionary))
    places = np.flatnonzero((codes >= 0) & (counts[codes] == 1)) if len(counts) else np.zeros(0, np.int64)
    return values.take(pa.array(places)), places
