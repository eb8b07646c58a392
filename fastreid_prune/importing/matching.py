"""Finding the samples of a data set on disk by names that somebody listed.

A listed name is never opened: it is compared with the names of the data set. Equal names match; else, since the
folder of the data sets differs from one machine to the next, names match whose last one or two components are equal
and occur once in the data set.
"""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fastreid_prune.io.names import examples

_SUSPICIOUS = r"\x00|(^|[/\\])\.\.([/\\]|$)"
_LAST_ONE, _LAST_TWO = r"(?P<name>[^/\\]+)$", r"(?P<name>[^/\\]+[/\\][^/\\]+)$"
# what follows the person in Market-1501's names: a person who corrects a label renames the image before it
_AFTER_PERSON = r"(?:^|[/\\])-?[0-9]+_(?P<name>c[0-9]+[^/\\]*)$"
_EXAMPLES = 5


@dataclass
class Tally:
    """What became of the rows of a list, counted; the first few of each kind are kept to be named.

    Attributes:
        rows: how many there were.
        matched: how many are a sample of the data set.
        by_last_part: how many of these only by the last components of the name.
        problems: what is wrong -> how many rows.
        named: what is wrong -> the first few names.
    """

    rows: int = 0
    matched: int = 0
    by_last_part: int = 0
    problems: dict[str, int] = field(default_factory=dict)
    named: dict[str, list[str]] = field(default_factory=dict)

    def note(self, what: str, names: pa.Array | list[str], count: int | None = None) -> None:
        """Count rows with a problem; ``names`` are (the first of) theirs."""
        count = len(names) if count is None else count
        if count:
            self.problems[what] = self.problems.get(what, 0) + count
            few = self.named.setdefault(what, [])
            for name in names[: _EXAMPLES - len(few)]:
                few.append(name.as_py() if isinstance(name, pa.Scalar) else name)

    def lines(self) -> list[str]:
        """One line a problem, with examples."""
        return [
            f"{count} rows {what}" + (f": {examples(self.named[what], count)}" if self.named[what] else "")
            for what, count in self.problems.items()
        ]


class NameIndex:
    """The samples of a data set by name."""

    def __init__(self, file_names: np.ndarray, renamed: bool = False):
        """Index [N] names; ``renamed``: match by what follows the person in Market-1501's names, too."""
        self.names = pa.array(file_names, pa.string())
        patterns = (_LAST_TWO, _LAST_ONE, *([_AFTER_PERSON] if renamed else []))
        self.parts = [(pattern, *_unique(_last(self.names, pattern))) for pattern in patterns]
        self.seen = np.zeros(len(file_names), bool)

    def rows(self, listed: pa.Array, tally: Tally) -> np.ndarray:
        """The sample of each listed name, [n] int64; -1 where there is none or it came before.

        Names that do not match are counted in ``tally``.
        """
        suspicious = np.asarray(pc.match_substring_regex(listed, _SUSPICIOUS), bool)
        rows = _positions(listed, self.names)
        rows[suspicious] = -1
        for pattern, values, places in self.parts:
            missing = np.flatnonzero((rows < 0) & ~suspicious)
            if len(missing) and len(values):
                found = _positions(_last(listed.take(pa.array(missing)), pattern), values)
                rows[missing[found >= 0]] = places[found[found >= 0]]
                tally.by_last_part += int((found >= 0).sum())
        unknown = (rows < 0) & ~suspicious
        repeated = self._repeated(rows)
        tally.rows += len(listed)
        tally.note("have a name that leaves its folder", _few(listed, suspicious), int(suspicious.sum()))
        tally.note("name no image of the data set", _few(listed, unknown), int(unknown.sum()))
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


def _last(names: pa.Array, pattern: str) -> pa.Array:
    part = pc.struct_field(pc.extract_regex(names, pattern), "name")
    return pc.replace_substring(part, "\\", "/")


def _unique(values: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """The values that occur once, and where."""
    encoded = pc.dictionary_encode(values)
    codes = pc.fill_null(encoded.indices, -1).to_numpy()
    counts = np.bincount(codes[codes >= 0], minlength=len(encoded.dictionary))
    places = np.flatnonzero((codes >= 0) & (counts[codes] == 1)) if len(counts) else np.zeros(0, np.int64)
    return values.take(pa.array(places)), places
