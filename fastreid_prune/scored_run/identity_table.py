"""``identities.csv`` of a scored run: which identities are one person, which hold more than one, and what was decided.

One row a finding, the most likely of each kind first:

- ``same_identity``: ``other_pid`` is ``pid``, and merging renames it.
- ``more_than_one``: ``files`` (separated by ``//``, which no name holds) show somebody else: ``other_pid`` where that
  is a known identity, else parting gives them a name of their own.

``verdict`` is ``merge`` or ``part`` where the judge answers for it; ``decision`` is for a person to write:
``accept`` or ``refuse``. A decision holds over a verdict.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.names import examples
from fastreid_prune.io.tables import CsvReader, write_csv
from fastreid_prune.scored_run.score_table import ScoreTable

IDENTITIES = "identities.csv"
SAME, MORE = KINDS = ("same_identity", "more_than_one")
ACCEPT, REFUSE = ("accept", "refuse")
VERDICTS = {SAME: "merge", MORE: "part"}
COLUMNS = (
    "kind", "pid", "other_pid", "images", "score", "confidence", "verdict", "decision", "reason", "files"
)  # fmt: skip
_SEPARATOR = "//"


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
    def key(self) -> tuple[str, str, str]:
        """What it says, whatever speaks for it."""
        return self.kind, self.pid, self.other_pid

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


def is_identities(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as one of these does."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            return set(COLUMNS) <= set(file.readline(1000).strip().split(","))
    except (OSError, UnicodeDecodeError):
        return False


def run_findings(folder: Path, table: ScoreTable) -> list[Finding]:
    """The findings in ``identities.csv`` of a run; none where it has no such file.

    Args:
        folder: of the run's score files.
        table: the run's samples.

    Raises:
        FastreidPruneError: as :func:`read_identities`, or findings of another run.
    """
    path = folder / IDENTITIES
    findings = read_identities(path) if path.is_file() else []
    check_findings(findings, table.pid, table.file_name, str(path))
    return findings


def check_findings(findings: list[Finding], pids: np.ndarray, file_names: np.ndarray, where: str) -> None:
    """Refuse findings about other samples than [N] with these identities and names.

    Raises:
        FastreidPruneError: an identity or an image of a finding is none of these.
    """
    for what, named, known in (
        ("identities", [pid for one in findings for pid in (one.pid, one.other_pid) if pid], pids),
        ("images of parts", [name for one in findings for name in one.files], file_names),
    ):
        unknown = sorted(set(named) - set(known.tolist())) if named else []
        if unknown:
            raise FastreidPruneError(
                f"{where}: {len(unknown)} {what} are not the data set's: {examples(unknown)}. Was it made on another "
                "run? Judge the run again."
            )


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
    decided = {one.key: one for one in earlier if one.decision}
    found = [
        replace(one, decision=decided.pop(one.key).decision) if one.key in decided else one
        for one in findings
    ]
    return found + [replace(one, verdict="") for one in decided.values()]


def overrule(findings: list[Finding], decided: list[Finding]) -> list[Finding]:
    """The findings with what was decided of them elsewhere, nothing too; what else was decided follows."""
    held = {one.key: one for one in decided}
    kept = [replace(one, decision=held.pop(one.key).decision) if one.key in held else one for one in findings]
    return kept + [replace(one, verdict="") for one in held.values()]
