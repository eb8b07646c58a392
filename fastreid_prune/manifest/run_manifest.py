"""The manifest of a scored run: verdicts and decisions, then a choice, then the file."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.files import sha256
from fastreid_prune.manifest.brake import MOST_REMOVED, brake
from fastreid_prune.manifest.by_hand import Paths, decided_by_hand
from fastreid_prune.manifest.manifest import Manifest
from fastreid_prune.scored_run.identity_changes import apply_identities, merged_away
from fastreid_prune.scored_run.identity_table import (
    IDENTITIES,
    Finding,
    overrule,
    run_findings,
)
from fastreid_prune.scored_run.run_files import RunFiles
from fastreid_prune.scored_run.score_table import ScoreTable
from fastreid_prune.scored_run.verdicts import Verdicts
from fastreid_prune.selection import Regime, choose, identities_lost, strategy_and_score
from fastreid_prune.selection.auto import DOUBTED
from fastreid_prune.selection.ranking import pruned_count
from fastreid_prune.selection.run_pool import run_entropy, run_pool


@dataclass(frozen=True)
class PruneSummary:
    """What :func:`prune_run` did.

    Attributes:
        manifest: what stays, and under which identity; ``manifest.path`` is its CSV, the JSON is beside it.
        method: the name of the score or the strategy.
        ratio: the fraction that was to be pruned of what outliers left.
        asked, pruned: how many samples that is, and how many were pruned; fewer where floors or decisions hold them.
        regime: how redundant the set is.
        lost: the identities of which no sample stays.
        in_doubt: samples among the pruned ones that went since their label is more likely wrong than right, whatever
            the ratio.
        doubted: how many ``auto`` pruned since their label is among the most doubted.
        held: what purification would have done and did not, since it goes too far, in sentences.
    """

    manifest: Manifest
    method: str
    ratio: float
    asked: int
    pruned: int
    regime: Regime
    lost: list[str]
    in_doubt: int
    doubted: int
    held: list[str]

    @property
    def identities(self) -> int:
        """How many the data set has."""
        return len(set(self.manifest.pid))

    @property
    def identities_left(self) -> int:
        """How many are trained with."""
        return len(set(self.manifest.new_pid[self.manifest.kept]))


def prune_run(
    run: "str | os.PathLike[str] | RunFiles",
    ratio: float,
    method: str = "entropy",
    *,
    score: str | None = None,
    purify: bool = False,
    identities: bool = False,
    decisions: Paths = None,
    output: str | os.PathLike[str] | None = None,
    keep_per_identity: int = 0,
    keep_per_camera: int = 0,
    seed: int | None = None,
    most_removed: float = MOST_REMOVED,
    lose_identities: bool = False,
) -> PruneSummary:
    """Write the manifest of a scored run.

    Args:
        run: a scored run, or its folder.
        ratio: the fraction to prune of the samples that are left once purification has left out its own, in [0, 1).
        method: a strategy (``selection.STRATEGIES``), or a score (``scores.available()``): the plain ranking by it.
        score: what a strategy ranks by; entropy by default.
        purify: act on the verdicts in the run's scores: relabel the mislabelled, leave out the outliers, and what is
            more likely wrong than right though not surely enough for a verdict (:attr:`.Verdicts.in_doubt`): in
            training a wrong label costs more than a right one gives (docs/verdicts.md). Without, ``"auto"`` prunes
            what the verdicts doubt before anything else.
        identities: merge and part identities as ``identities.csv`` of the run says: what a person accepted there, and
            what the judge answers for unless a person refused it. Only with ``purify``.
        decisions: files of decisions by hand, as the report's page saves them: on samples, which hold over any verdict
            (what was kept or relabelled is not pruned, what was dropped is left out), or on identities.
        output: the manifest's CSV; by default ``manifest.csv`` beside the scores.
        keep_per_identity: samples of each identity that pruning leaves at least (0: the paper's method).
        keep_per_camera: samples of each identity in each camera that pruning leaves at least.
        seed: for ``random`` and for strategies that draw; by default the run's own.
        most_removed: where purification would leave out a larger share of the samples than this, it leaves out none.
        lose_identities: let purification take all images of an identity; by default such an identity stays as it is.

    Raises:
        FastreidPruneError: no scored run there, no such method, a score beside a method that ranks by itself, a ratio
            outside [0, 1), ``purify`` without verdicts, or decisions that do not fit the run.
    """
    strategy, ranks_by = strategy_and_score(method, score)
    run = RunFiles.open(run)
    table = run.scored([ranks_by], seed=seed if ranks_by == "random" else None)
    if purify and not table.judged:
        raise FastreidPruneError(
            f"{run.score_files[0]}: no verdicts, and purification acts on them. Judge the run first "
            "(fastreid-prune judge), or prune without."
        )
    hand = decided_by_hand(decisions, table, table.verdicts if purify else table.unreadable_only)
    source = {key: text for key, text in sorted(table.about.items()) if key != "thresholds"} | hand.source
    verdicts, findings, protected = hand.verdicts, hand.findings, hand.confirmed
    if identities:
        findings = overrule(_findings(run, table, purify), findings)
        source[f"sha256 of {IDENTITIES}"] = sha256(run.folder / IDENTITIES)
    in_doubt = verdicts.in_doubt & (purify and _doubt_counts(table))
    verdicts = apply_identities(findings, table.file_name, table.pid, verdicts, protected)
    braked = brake(
        table.pid, verdicts, in_doubt, table.unreadable | hand.decided,
        most_removed=most_removed, lose_identities=lose_identities, merged=merged_away(findings),
    )  # fmt: skip
    verdicts, in_doubt = braked.verdicts, braked.in_doubt
    pool = run_pool(
        run, ranks_by, verdicts, excluded=in_doubt, protected=protected,
        doubted=_doubted(table, verdicts),
        keep_per_identity=keep_per_identity, keep_per_camera=keep_per_camera,
    )  # fmt: skip
    choice = choose(
        pool, ratio, strategy,
        entropy=run_entropy(run), right=None if run.trajectory is None else run.trajectory.epochs.final_accuracy(),
        seed=run.seed if seed is None else seed, score=ranks_by,
    )  # fmt: skip
    asked = pruned_count(int(pool.candidates.sum()), ratio)
    manifest = Manifest.build(
        table, pool.scores, choice.keep, verdicts,
        method=method, ratio=ratio, thresholds=table.thresholds if purify else {}, source=source,
        regime=choice.regime.as_dict() | {"expectation": choice.regime.expectation(ratio)},
        reason=_reasons(choice.reason, in_doubt, verdicts),
    )  # fmt: skip
    if run.trajectory is not None:
        manifest = replace(manifest, class_names=run.samples.class_names)
    return PruneSummary(
        manifest=manifest.write(Path(output) if output is not None else run.folder / "manifest.csv"),
        method=method,
        ratio=ratio,
        asked=asked,
        pruned=int((pool.candidates & ~choice.keep).sum()),
        regime=choice.regime,
        lost=identities_lost(pool.pids, choice.keep),
        in_doubt=int(in_doubt.sum()),
        doubted=int((choice.reason == DOUBTED).sum()),
        held=braked.held,
    )


def _findings(run: RunFiles, table: ScoreTable, purify: bool) -> list[Finding]:
    path = run.folder / IDENTITIES
    if not purify:
        raise FastreidPruneError("identities are merged and parted in purification: give --purify too.")
    if not path.is_file():
        raise FastreidPruneError(f"{path}: no such file. Judge the run first (fastreid-prune judge).")
    return run_findings(run.folder, table)


def _doubt_counts(table: ScoreTable) -> bool:
    """Doubt without a verdict is acted on where the judge made claims (what it does not vouch for stays at even odds),
    and in files without claims where some label was judged wrong."""
    return "claims" in table.thresholds or bool((table.verdicts.against & ~table.unreadable).any())


def _doubted(table: ScoreTable, acted_on: Verdicts) -> np.ndarray:
    """[D] int64: rows judged wrong or in doubt, then the most doubted, as many as are wrong by estimate; without those
    that get another name."""
    verdicts = table.verdicts
    judged = (verdicts.against | verdicts.in_doubt) & _doubt_counts(table)
    confidence = verdicts.confidence.astype(float)
    right = np.nan_to_num(np.where(verdicts.against, 1 - confidence, confidence), nan=1.0)
    name = np.unique(table.file_name.astype(str), return_inverse=True)[1]
    order = np.lexsort((name, right, ~judged))
    rows = order[: max(int(judged.sum()), table.thresholds.get("suspects", 0))]
    return rows[~acted_on.mislabelled[rows]]


def _reasons(reason: np.ndarray, in_doubt: np.ndarray, verdicts: Verdicts) -> np.ndarray:
    """The reasons [N] of a choice, with those of the samples in doubt."""
    reason = reason.copy()
    for row in np.flatnonzero(in_doubt):
        reason[row] = (
            f"more likely wrong than right: the label is right with probability {verdicts.confidence[row]:.2f}"
        )
    return reason
