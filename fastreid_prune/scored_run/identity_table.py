"""``identities.csv`` of a scored run: which identities are one person, which hold more than one, and what was decided.

One row a finding, the most likely of each kind first:

- ``same_identity``: ``other_pid`` is ``pid``, and merging renames it.
- ``more_than_one``: ``files`` (separated by ``|``) show somebody else: ``other_pid`` where that is a known identity,
  else parting gives them a name of their own.

``verdict`` is ``merge`` or ``part`` where the judge answers for it; ``decision`` is for a person to write:
``accept`` or ``refuse``. A decision holds over a verdict.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.tables import CsvReader, write_csv
from fastreid_prune.scored_run.score_table import ScoreTable
from fastreid_prune.scored_run.verdicts import MISLABELLED, Verdicts

IDENTITIES = "identities.csv"
SAME, MORE = KINDS = ("same_identity", "more_than_one")
ACCEPT, REFUSE = ("accept", "refuse")
VERDICTS = {SAME: "merge", MORE: "part"}
COLUMNS = (
    "kind", "pid", "other_pid", "images", "score", "confidence", "verdict", "decision", "reason", "files"
)  # fmt: skip
_SEPARATOR = "|"


@dataclass(frozen=True)
class Finding:
    """One row.

    Attributes:
        kind: :data:`SAME` or :data:`MORE`.
        pid: the identity in question.
        other_pid: the identity that is the same, or that a part is; "" where a part is of no known identity.
        images: of the other identity, or of the part.
        score: how much speaks for it; comparable within a kind and a run.
        confidence: the share of such findings that is right, by the pessimistic end; None where nothing shows it.
        verdict: ``merge``, ``part``, or "" where nobody answers for it.
        decision: ``accept``, ``refuse``, or "".
        reason: the evidence in words.
        files: of the part.
    """

    kind: str
    pid: str
    other_pid: str
    images: int
    score: float
    confidence: float | None
    verdict: str
    decision: str
    reason: str
    files: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """It is to be acted on."""
        return self.decision == ACCEPT or (self.verdict != "" and self.decision != REFUSE)


def write_identities(path: str | os.PathLike[str], findings: list[Finding]) -> None:
    """Write the file."""
    columns = {name: [getattr(one, name) for one in findings] for name in COLUMNS}
    columns["files"] = [_SEPARATOR.join(one.files) for one in findings]
    columns["score"] = [f"{one.score:.4f}" for one in findings]
    columns["confidence"] = ["" if one.confidence is None else f"{one.confidence:.4f}" for one in findings]
    write_csv(path, columns)


def read_identities(path: str | os.PathLike[str]) -> list[Finding]:
    """Read the file that :func:`write_identities` wrote, decisions by hand among it.

    Raises:
        FastreidPruneError: it cannot be read, or a row makes no sense.
    """
    reader = CsvReader(path, COLUMNS)
    findings: list[Finding] = []
    for block in reader.blocks():
        for values in zip(*(block.column(name).to_pylist() for name in COLUMNS), strict=True):
            findings.append(_finding(Path(path), len(findings) + 2, dict(zip(COLUMNS, values, strict=True))))
    return findings


def _finding(path: Path, line: int, row: dict[str, str]) -> Finding:
    problem = ""
    if row["kind"] not in KINDS:
        problem = f"kind {row['kind']!r} found, one of {', '.join(KINDS)} expected"
    elif row["decision"] not in ("", ACCEPT, REFUSE):
        problem = f"decision {row['decision']!r} found, {ACCEPT}, {REFUSE} or nothing expected"
    elif row["verdict"] not in ("", VERDICTS[row["kind"]]):
        problem = f"verdict {row['verdict']!r} found, {VERDICTS[row['kind']]} or nothing expected"
    elif row["kind"] == SAME and row["other_pid"] in ("", row["pid"]):
        problem = "another identity is expected in other_pid"
    if problem:
        raise FastreidPruneError(f"{path}, line {line}: {problem}. Correct it, or judge the run again.")
    try:
        numbers = int(row["images"]), float(row["score"])
        confidence = float(row["confidence"]) if row["confidence"] else None
    except ValueError as error:
        raise FastreidPruneError(f"{path}, line {line}: {error}. Judge the run again.") from error
    files = tuple(row["files"].split(_SEPARATOR)) if row["files"] else ()
    return Finding(
        row["kind"], row["pid"], row["other_pid"], *numbers, confidence, row["verdict"], row["decision"],
        row["reason"], files,
    )  # fmt: skip


def keep_decisions(findings: list[Finding], earlier: list[Finding]) -> list[Finding]:
    """The findings with the decisions that were made on the same ones before; decided ones that are gone stay."""
    decided = {(one.kind, one.pid, one.other_pid): one for one in earlier if one.decision}
    found = [
        replace(one, decision=decided.pop(key).decision) if key in decided else one
        for one in findings
        for key in [(one.kind, one.pid, one.other_pid)]
    ]
    return found + [replace(one, verdict="") for one in decided.values()]


def apply_identities(findings: list[Finding], table: ScoreTable, verdicts: Verdicts) -> Verdicts:
    """The verdicts with identities merged and parted, as far as findings hold.

    Merging renames what is labelled, or relabelled, as ``other_pid``. Parting relabels those of its images that have no
    verdict of their own. Single verdicts stay.

    Args:
        findings: of the run.
        table: its samples, [N].
        verdicts: [N].

    Raises:
        FastreidPruneError: findings of another run.
    """
    held = [one for one in findings if one.holds]
    known = set(table.pid.tolist())
    unknown = sorted({pid for one in held for pid in (one.pid, one.other_pid) if pid and pid not in known})
    if unknown:
        raise FastreidPruneError(
            f"{IDENTITIES}: {len(unknown)} identities are not the run's, the first {unknown[0]!r}. Judge the run again."
        )
    columns = {name: getattr(verdicts, name).copy() for name in Verdicts.__dataclass_fields__}
    place = {name: row for row, name in enumerate(table.file_name.tolist())}
    for one in held:
        if one.kind != MORE:
            continue
        absent = [name for name in one.files if name not in place]
        if absent:
            raise FastreidPruneError(
                f"{IDENTITIES}: {len(absent)} images of a part of {one.pid} are not the run's, the first "
                f"{absent[0]!r}. Judge the run again."
            )
        rows = np.array([place[name] for name in one.files], np.int64)
        free = rows[~verdicts.against[rows]]
        _relabel(columns, free, one.other_pid or new_name(one.pid, known), one)
        known.add(one.other_pid or new_name(one.pid, known))
    for one in held:
        if one.kind == SAME:
            into = _final(one.pid, held)
            now = np.where(columns["verdict"] == MISLABELLED, columns["suggested_pid"], table.pid)
            _relabel(
                columns, np.flatnonzero((now == one.other_pid) & (columns["verdict"] != "outlier")), into, one
            )
    home = (columns["verdict"] == MISLABELLED) & (columns["suggested_pid"] == table.pid)
    columns["verdict"][home], columns["suggested_pid"][home] = "clean", ""
    return Verdicts(**columns)


def new_name(pid: str, known: set[str]) -> str:
    """A name for a part of ``pid`` that no identity has.

    >>> new_name("m_7", {"m_7", "m_7b"})
    'm_7c'
    """
    letters = (chr(code) for code in range(ord("b"), ord("z") + 1))
    return next(f"{pid}{letter}" for letter in letters if f"{pid}{letter}" not in known)


def _final(pid: str, held: list[Finding]) -> str:
    """What an identity is called when all merges are done."""
    into = {one.other_pid: one.pid for one in held if one.kind == SAME}
    for _ in range(len(into)):
        pid = into.get(pid, pid)
    return pid


def _relabel(columns: dict[str, np.ndarray], rows: np.ndarray, pid: str, finding: Finding) -> None:
    columns["verdict"][rows], columns["suggested_pid"][rows] = MISLABELLED, pid
    columns["runner_up_pid"][rows] = ""
    columns["confidence"][rows] = np.nan if finding.confidence is None else finding.confidence
    columns["reason"][rows] = finding.reason
