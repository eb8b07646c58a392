"""What a row of a manifest must be, checked on blocks of text columns."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fastreid_prune.io.names import unsafe
from fastreid_prune.manifest.columns import ACTIONS, KEEP, OUTLIER, RELABEL

_NUMBER = r"^-?(inf|([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?)?$"
_RANK = r"^[1-9][0-9]{0,14}$"
_TEXT = ("pid", "camid", "new_pid", "reason")


@dataclass
class Problems:
    """Rows that break a rule, counted by what is wrong; the number of the first one is kept."""

    count: Counter = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)

    def note(self, what: str, bad: np.ndarray, start: int) -> None:
        """Count the rows where ``bad`` [n] bool; ``start`` is the number of the block's first row."""
        if bad.any():
            self.count[what] += int(bad.sum())
            self.first.setdefault(what, start + int(np.argmax(bad)))

    def __bool__(self) -> bool:
        return bool(self.count)

    def __str__(self) -> str:
        return "; ".join(
            f"{n} rows {what} (the first is row {self.first[what]})" for what, n in self.count.items()
        )


def check_rows(block: pa.RecordBatch, start: int, problems: Problems) -> None:
    """Note what is wrong in a block of rows; ``start`` is the 1-based number of its first row."""
    column = {name: block.column(name) for name in block.schema.names}
    action, pid, new_pid = column["action"], column["pid"], column["new_pid"]

    def note(what: str, bad: pa.Array) -> None:
        problems.note(what, np.asarray(bad, bool), start)

    problems.note("have a file name that is no path inside the root", unsafe(column["file_name"]), start)
    unknown = pc.invert(pc.is_in(action, value_set=pa.array(ACTIONS)))
    note(f"have an action other than {', '.join(ACTIONS)}", unknown)
    note("have no number as score", pc.invert(pc.match_substring_regex(column["score"], _NUMBER)))
    note("have no whole number from 1 as rank", pc.invert(pc.match_substring_regex(column["rank"], _RANK)))
    for name in _TEXT:
        note(f"have a NUL byte in {name}", pc.match_substring(column[name], "\0"))
    note("have no pid", pc.equal(pid, ""))
    same = pc.equal(pid, new_pid)
    note("say keep with another new_pid (use relabel)", pc.and_(pc.equal(action, KEEP), pc.invert(same)))
    note("say relabel without another new_pid", pc.and_(pc.equal(action, RELABEL), same))
    nameless = pc.and_(pc.equal(new_pid, ""), pc.not_equal(action, OUTLIER))
    note("have no new_pid", nameless)
