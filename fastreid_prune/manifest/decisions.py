"""What a person decided about samples: the file that the report's page saves and ``prune`` obeys.

A CSV ``file_name,pid,decision,new_pid``, one row a sample that somebody looked at:

- ``keep``: the given identity is right; the sample is trained with, whatever its score.
- ``relabel``: it shows ``new_pid``; the sample is trained with under that identity, whatever its score.
- ``drop``: it should not be trained with.
- ``unsure``: somebody looked and could not tell: no verdict holds, the score alone decides.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastreid_prune.errors import FastreidPruneError, did_you_mean
from fastreid_prune.io.names import check_names, examples
from fastreid_prune.io.tables import CsvReader, write_csv
from fastreid_prune.scored_run.score_table import ScoreTable
from fastreid_prune.scored_run.verdicts import CLEAN, MISLABELLED, OUTLIER, UNJUDGED, Verdicts

COLUMNS = ("file_name", "pid", "decision", "new_pid")
DECISIONS = KEEP, RELABEL, DROP, UNSURE = ("keep", "relabel", "drop", "unsure")
_VERDICT = {KEEP: CLEAN, RELABEL: MISLABELLED, DROP: OUTLIER, UNSURE: UNJUDGED}


@dataclass(frozen=True, eq=False)
class Decisions:
    """The decisions about K samples.

    Attributes:
        file_name: [K] str, as in the run's scores; no two are equal.
        pid: [K] str, the identity that was given when the decision was made.
        decision: [K] str, one of ``DECISIONS``.
        new_pid: [K] str, the right identity where the decision is ``relabel``; "" elsewhere.
        path: where they were read from, for messages.
    """

    file_name: np.ndarray
    pid: np.ndarray
    decision: np.ndarray
    new_pid: np.ndarray
    path: Path | None = None

    def __len__(self) -> int:
        return len(self.file_name)

    @classmethod
    def read(cls, path: str | os.PathLike) -> "Decisions":
        """Read a decisions file; columns beyond the four are ignored.

        Raises:
            FastreidPruneError: the file cannot be read, or rows make no sense (how many, and which).
        """
        reader = CsvReader(path, COLUMNS)
        parts = [[block.column(name).to_pylist() for name in COLUMNS] for block in reader.blocks()]
        columns = [_strings([value for part in parts for value in part[i]]) for i in range(len(COLUMNS))]
        file_name, pid, decision, new_pid = columns
        decisions = cls(file_name, pid, decision, new_pid, Path(path))
        if reader.malformed:
            raise FastreidPruneError(
                f"{path}: {reader.malformed} rows do not have {len(reader.columns)} fields. Save the "
                "decisions from the page again."
            )
        check_names(decisions.file_name, str(path))
        decisions._check_rows()
        return decisions

    def write(self, path: str | os.PathLike) -> None:
        """Write the file that :meth:`read` reads."""
        write_csv(path, {name: getattr(self, name) for name in COLUMNS})

    def overrule(self, table: ScoreTable, verdicts: Verdicts) -> tuple[Verdicts, np.ndarray]:
        """The verdicts as the decisions change them, and the samples that pruning must not touch.

        Args:
            table: the run's samples, [N].
            verdicts: [N], what holds where nobody decided.

        Returns:
            Verdicts [N], with the decision as the reason; protected [N] bool: kept or relabelled by hand.

        Raises:
            FastreidPruneError: decisions about samples that the run does not have, that it gives another
                identity, or that cannot be read; an identity that the data set does not have.
        """
        rows = self._rows(table)
        columns = {name: getattr(verdicts, name).copy() for name in Verdicts.__dataclass_fields__}
        before = columns["verdict"][rows]
        columns["verdict"][rows] = [_VERDICT[decision] for decision in self.decision]
        columns["suggested_pid"][rows] = self.new_pid
        columns["runner_up_pid"][rows] = ""
        columns["confidence"][rows] = np.where(self.decision == UNSURE, np.nan, 1.0)
        columns["reason"][rows] = [
            _reason(decision, given, new, verdict)
            for decision, given, new, verdict in zip(
                self.decision, self.pid, self.new_pid, before, strict=True
            )
        ]
        protected = np.zeros(len(table), bool)
        protected[rows] = (self.decision == KEEP) | (self.decision == RELABEL)
        return Verdicts(**columns), protected

    def _rows(self, table: ScoreTable) -> np.ndarray:
        place = {name: row for row, name in enumerate(table.file_name.tolist())}
        rows = np.array([place.get(name, -1) for name in self.file_name.tolist()], np.int64)
        absent = rows < 0
        if absent.any():
            raise FastreidPruneError(
                f"{self._where}: {absent.sum()} of {len(self)} decisions are about samples that the run does "
                f"not have: {examples(self.file_name[absent])}. Were they made on another run's page?"
            )
        other = table.pid[rows] != self.pid
        if other.any():
            first = int(np.argmax(other))
            raise FastreidPruneError(
                f"{self._where}: {other.sum()} decisions are about samples that now have another identity: "
                f"{ascii(self.file_name[first])} was {ascii(self.pid[first])}, the run gives it "
                f"{ascii(table.pid[rows[first]])}. Review the run's own page."
            )
        unreadable = table.unreadable[rows] & (self.decision != DROP)
        if unreadable.any():
            raise FastreidPruneError(
                f"{self._where}: {unreadable.sum()} decisions would keep images that cannot be read: "
                f"{examples(self.file_name[unreadable])}. Repair the images and score again, or drop them."
            )
        known = set(table.pid.tolist())
        unknown = sorted({pid for pid in self.new_pid.tolist() if pid and pid not in known})
        if unknown:
            hint = did_you_mean(unknown[0], known)
            raise FastreidPruneError(
                f"{self._where}: {len(unknown)} identities to relabel to are not the data set's: "
                f"{examples(unknown)}.{hint}"
            )
        return rows

    def _check_rows(self) -> None:
        relabel = self.decision == RELABEL
        problems = {
            f"whose decision is none of {', '.join(DECISIONS)}": ~np.isin(self.decision, DECISIONS),
            "that relabel to no new_pid, or to the identity given": relabel
            & ((self.new_pid == "") | (self.new_pid == self.pid)),
            "with a new_pid that do not relabel": ~relabel & (self.new_pid != ""),
        }
        for what, bad in problems.items():
            if bad.any():
                raise FastreidPruneError(
                    f"{self._where}: {bad.sum()} rows {what}; the first is about "
                    f"{examples(self.file_name[bad][:1])}. Correct them, or save the decisions again."
                )

    @property
    def _where(self) -> str:
        return str(self.path or "decisions")


def _reason(decision: str, given: str, new: str, verdict: str) -> str:
    what = {
        KEEP: "kept by hand",
        RELABEL: f"relabelled by hand from {given} to {new}",
        DROP: "dropped by hand",
        UNSURE: "unsure after review: the score decides",
    }[decision]
    return f"{what} (verdict: {verdict})" if verdict else what


def _strings(values: list[str]) -> np.ndarray:
    return np.array([*values, None], dtype=object)[:-1]
