"""All that a person decided about a run: files on samples and on identities, together."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fastreid_prune.io.files import sha256
from fastreid_prune.manifest.decisions import Decisions
from fastreid_prune.scored_run.identity_table import IDENTITIES, Finding, is_identities, read_identities
from fastreid_prune.scored_run.score_table import ScoreTable
from fastreid_prune.scored_run.verdicts import Verdicts

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None


@dataclass(frozen=True)
class ByHand:
    """What a person decided of N samples.

    Attributes:
        verdicts: N of them, as the decisions change them.
        decided: [N] bool.
        confirmed: [N] bool: kept or relabelled by hand; pruning must not touch them. None where nothing was decided.
        findings: about identities, accepted, refused, or set back to undecided.
        source: the files and their digests, for the record.
    """

    verdicts: Verdicts
    decided: np.ndarray
    confirmed: np.ndarray | None
    findings: list[Finding]
    source: dict[str, str]


def decided_by_hand(paths: Paths, table: ScoreTable, verdicts: Verdicts) -> ByHand:
    """Read files of decisions, each on samples (:class:`.Decisions`) or on identities (:mod:`.identity_table`).

    Args:
        paths: one, several or none. Later ones hold over earlier ones.
        table: the run's samples, [N].
        verdicts: [N], what holds where nobody decided.

    Raises:
        FastreidPruneError: a file that is neither, or decisions that do not fit the run.
    """
    done = ByHand(verdicts, np.zeros(len(table), bool), None, [], {})
    if paths is None:
        return done
    for path in [paths] if isinstance(paths, (str, os.PathLike)) else paths:
        if is_identities(path):
            # here nothing is acted on but what a person said
            found = [replace(one, verdict="") for one in read_identities(path)]
            source = _noted(done.source, f"sha256 of {IDENTITIES} by hand", path)
            done = replace(done, findings=done.findings + found, source=source)
            continue
        made = Decisions.read(path)
        verdicts, confirmed = made.overrule(table, done.verdicts)
        decided = np.isin(table.file_name, made.file_name)
        if done.confirmed is not None:
            confirmed = np.where(decided, confirmed, done.confirmed)
        source = _noted(done.source, "sha256 of decisions", path)
        done = replace(
            done, verdicts=verdicts, decided=done.decided | decided, confirmed=confirmed, source=source
        )
    return done


def _noted(source: dict[str, str], name: str, path: str | os.PathLike[str]) -> dict[str, str]:
    """With the digest of one more file; of several of a kind one behind the other, in the order in which they count."""
    return source | {name: " ".join([*filter(None, [source.get(name)]), sha256(path)])}
