"""Merging and parting identities: what findings that hold make of the verdicts."""

from itertools import count

import numpy as np

from fastreid_prune.io.names import person_numbers
from fastreid_prune.scored_run.identity_table import IDENTITIES, MORE, SAME, Finding, check_findings
from fastreid_prune.scored_run.verdicts import CLEAN, MISLABELLED, OUTLIER, Verdicts


def apply_identities(
    findings: list[Finding],
    file_name: np.ndarray,
    pid: np.ndarray,
    verdicts: Verdicts,
    confirmed: np.ndarray | None = None,
) -> Verdicts:
    """The verdicts with identities merged and parted, as far as findings hold.

    Merging renames what is labelled, or relabelled, as ``other_pid``. Parting relabels those of its images that have no
    verdict against their label. Single verdicts stay.

    Args:
        findings: about these samples.
        file_name: [N] str.
        pid: [N] str, the given identities.
        verdicts: [N].
        confirmed: [N] bool, labels that a person confirmed: parting leaves them.

    Raises:
        FastreidPruneError: findings about other samples.
    """
    held = [one for one in findings if one.holds]
    check_findings(held, pid, file_name, IDENTITIES)
    columns = {name: getattr(verdicts, name).copy() for name in Verdicts.__dataclass_fields__}
    place = {name: row for row, name in enumerate(file_name.tolist())} if held else {}
    known = set(pid.tolist())
    free = ~verdicts.against if confirmed is None else ~(verdicts.against | confirmed)
    for one in held:
        if one.kind == MORE:
            rows = np.array([place[name] for name in one.files], np.int64)
            name = one.other_pid or new_name(one.pid, known)
            known.add(name)
            _relabel(columns, rows[free[rows]], name, one)
    links = _links(held)
    for gone, (_, one) in links.items():
        now = np.where(columns["verdict"] == MISLABELLED, columns["suggested_pid"], pid)
        rows = np.flatnonzero((now == gone) & (columns["verdict"] != OUTLIER))
        _relabel(columns, rows, _root(gone, links), one)
    home = (columns["verdict"] == MISLABELLED) & (columns["suggested_pid"] == pid)
    columns["verdict"][home], columns["suggested_pid"][home] = CLEAN, ""
    return Verdicts(**columns)


def merged_away(findings: list[Finding]) -> set[str]:
    """The identities whose name is gone when the findings that hold are acted on."""
    return set(_links([one for one in findings if one.holds]))


def new_name(pid: str, known: set[str]) -> str:
    """A name for a part of ``pid`` that no identity has: the next number where all have one.

    >>> new_name("m_7", {"m_7", "m_12"}), new_name("ann", {"ann", "eve", "ann-2"})
    ('m_13', 'ann-3')
    """
    numbers, theirs = person_numbers(np.array([*known, None], object)[:-1])
    if theirs:
        stem = pid.rstrip("0123456789")
        return f"{stem}{max(numbers.values()) + 1:0{len(pid) - len(stem)}}"
    return next(name for number in count(2) if (name := f"{pid}-{number}") not in known)


def _links(held: list[Finding]) -> dict[str, tuple[str, Finding]]:
    """Identity that gives up its name -> whose it takes, and the finding by which; what is linked ends under one."""
    links: dict[str, tuple[str, Finding]] = {}
    for one in held:
        gone, into = _root(one.other_pid, links), _root(one.pid, links)
        if one.kind == SAME and gone != into:
            links[gone] = into, one
    return links


def _root(pid: str, links: dict[str, tuple[str, Finding]]) -> str:
    """The name that an identity ends under."""
    while pid in links:
        pid = links[pid][0]
    return pid


def _relabel(columns: dict[str, np.ndarray], rows: np.ndarray, pid: str, finding: Finding) -> None:
    columns["verdict"][rows], columns["suggested_pid"][rows] = MISLABELLED, pid
    columns["runner_up_pid"][rows] = ""
    columns["confidence"][rows] = np.nan if finding.confidence is None else finding.confidence
    columns["reason"][rows] = finding.reason
