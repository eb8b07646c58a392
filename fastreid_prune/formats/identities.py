"""Decisions on identities: a run's ``identities.csv``, or what the report's page saved of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats.decided import IdentityDecisions
from fastreid_prune.formats.registry import Request, reader
from fastreid_prune.io.files import sha256
from fastreid_prune.manifest import Manifest
from fastreid_prune.scored_run.identity_changes import apply_identities
from fastreid_prune.scored_run.identity_table import (
    IDENTITIES,
    check_findings,
    is_identities,
    read_identities,
)
from fastreid_prune.scored_run.verdicts import MISLABELLED, OUTLIER, UNJUDGED, Verdicts
from fastreid_prune.selection import select
from fastreid_prune.trajectory import Samples


@reader(
    "identities",
    "decisions on identities (identities.csv of a run, of exported lists, or saved from the report's page)",
    detect=is_identities,
)
def read(path: Path, request: Request) -> IdentityDecisions:
    """What the file says, if it is about the identities and images of the data set.

    Raises:
        FastreidPruneError: it cannot be read, or is about others.
    """
    findings = [replace(one, verdict="") for one in read_identities(path)]
    check_findings(findings, request.samples.pid, request.samples.file_name, str(path))
    return IdentityDecisions(findings, {f"sha256 of {IDENTITIES}": sha256(path)})


def from_identities(
    samples: Samples, decided: IdentityDecisions, base: Manifest | None = None, ratio: float | None = None
) -> Manifest:
    """The manifest of a data set with identities merged and parted as a person accepted.

    Args:
        samples: the data set.
        decided: what was accepted.
        base: a manifest to go on from; what it relabels follows the merged identities. By default every label stands.
        ratio: the fraction to prune of what is left; None: as in ``base``.

    Raises:
        FastreidPruneError: ``base`` does not fit the data set, or ``ratio`` where nothing ranks.
    """
    count = len(samples)
    empty = np.full(count, "", object)
    score, keep, before, about = np.full(count, np.nan), np.ones(count, bool), Verdicts.unjudged(count), {}
    if base is not None:
        rows = base.check_against(samples.file_name, samples.pid)
        score, keep, new = base.score[rows], base.kept[rows], base.new_pid[rows]
        gone, moved = base.action[rows] == "outlier", (new != samples.pid) & (new != "")
        verdict = np.select([gone, moved], [OUTLIER, MISLABELLED], UNJUDGED).astype(object)
        before = Verdicts(
            verdict, np.where(moved & ~gone, new, ""), empty, np.full(count, np.nan), base.reason[rows]
        )
        about = {"method": base.about.get("method"), "ratio": base.about.get("ratio")}
    verdicts = apply_identities(decided.findings, samples.file_name, samples.pid, before)
    if ratio is not None:
        if ratio and np.isnan(score).all():
            raise FastreidPruneError(
                "ratio: nothing ranks the images. Give the manifest to go on from with --base."
            )
        unscored = np.isnan(score) & ~verdicts.outlier
        keep = (
            select(score, ratio, file_names=samples.file_name, excluded=verdicts.outlier | unscored)
            | unscored
        )
        about["ratio"] = ratio
    return Manifest.build(
        samples, score, keep, verdicts,
        method=about.get("method") or "by hand", ratio=about.get("ratio") or 0.0, source=decided.source,
    )  # fmt: skip
