"""From a scored run to a manifest: score, select, write. One call does what one command does."""

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fastreid_prune import scores
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.files import sha256
from fastreid_prune.manifest import Manifest
from fastreid_prune.manifest.decisions import Decisions
from fastreid_prune.scored_run.features import table_features
from fastreid_prune.scored_run.injected import given_samples
from fastreid_prune.scored_run.rescoring import given_scores, relabelled_scores
from fastreid_prune.scored_run.score_table import CSV, PARQUET, ScoreTable
from fastreid_prune.scored_run.verdicts import Verdicts
from fastreid_prune.selection import STRATEGIES, Pool, Regime, choose, identities_lost
from fastreid_prune.trajectory import Trajectory, load_trajectory
from fastreid_prune.trajectory.store import find_trajectory

logger = logging.getLogger("fastreid.prune")

# the files that tell one trajectory from another; the mean logits come from the same visits and may be large
_DIGESTED = ("samples.csv", "epochs.npz")


@dataclass(frozen=True)
class PruneSummary:
    """What :func:`prune` did.

    Attributes:
        manifest: the CSV that was written; its JSON is beside it.
        scores: the run's score files.
        method: the name of the score or the strategy.
        ratio: the fraction pruned of what outliers left.
        regime: how redundant the set is.
        counts: samples by action.
        samples: all samples of the data set.
        identities: how many the data set has.
        identities_left: how many are trained with.
        lost: the identities of which no sample stays.
        in_doubt: samples among the pruned ones that went since their label is more likely wrong than right, whatever
            the ratio.
    """

    manifest: Path
    scores: tuple[Path, ...]
    method: str
    ratio: float
    regime: Regime
    counts: dict[str, int]
    samples: int
    identities: int
    identities_left: int
    lost: list[str]
    in_doubt: int


def prune(
    run: str | os.PathLike,
    ratio: float,
    method: str = "entropy",
    *,
    score: str = "entropy",
    purify: bool = False,
    decisions: str | os.PathLike | None = None,
    output: str | os.PathLike | None = None,
    keep_per_identity: int = 0,
    keep_per_camera: int = 0,
    seed: int | None = None,
) -> PruneSummary:
    """Write the manifest of a scored run.

    Args:
        run: ``OUTPUT_DIR``, ``OUTPUT_DIR/prune`` or the trajectory's folder.
        ratio: the fraction to prune of the samples that are left once purification has left out its own, in [0, 1).
        method: one of ``scores.available()``: the paper's plain ranking by that score; or one of
            ``selection.STRATEGIES``, ``"auto"`` among them.
        score: what a strategy ranks by.
        purify: act on the verdicts in the run's scores: relabel the mislabelled, leave out the outliers, and what is
            more likely wrong than right though not surely enough for a verdict (:attr:`.Verdicts.in_doubt`): in
            training a wrong label costs more than a right one gives (docs/verdicts.md). Without, ``"auto"`` prunes
            what the verdicts doubt before anything else.
        decisions: a file of decisions by hand, as the report's page saves it. They hold over any verdict: what
            was kept or relabelled is not pruned, what was dropped is left out.
        output: the manifest's CSV; by default ``manifest.csv`` beside the scores.
        keep_per_identity: samples of each identity that pruning leaves at least (0: the paper's method).
        keep_per_camera: samples of each identity in each camera that pruning leaves at least.
        seed: for ``random`` and for strategies that draw; by default the run's own.

    Raises:
        FastreidPruneError: no scored run there, no such method, a ratio outside [0, 1), ``purify`` without
            verdicts, or decisions that do not fit the run.
    """
    strategy, score = (method, score) if method in STRATEGIES else ("hardest_first", method)
    table = score_run(run, [score], seed=seed if score == "random" else None)
    folder = _folder(run)
    if purify and not table.judged:
        raise FastreidPruneError(
            f"{folder / PARQUET}: no verdicts, and purification acts on them. Judge the run first "
            "(fastreid-prune judge), or prune without."
        )
    verdicts = table.verdicts if purify else _unreadable_only(table)
    protected = None
    source = {key: text for key, text in sorted(table.about.items()) if key != "thresholds"}
    if decisions is not None:
        verdicts, protected = Decisions.read(decisions).overrule(table, verdicts)
        source["sha256 of decisions"] = sha256(decisions)
    values = _under_new_labels(run, table, score, verdicts.suggested_pid)
    new_pid = np.where(verdicts.mislabelled, verdicts.suggested_pid, table.pid)
    trajectory = run_trajectory(run)
    found = _found_something(table)
    in_doubt = verdicts.in_doubt & (purify and found)
    pool = Pool(
        values,
        table.file_name,
        new_pid,
        table.camid,
        features=table_features(trajectory, len(table)),
        excluded=verdicts.outlier | in_doubt,
        protected=protected,
        doubted=None if purify else _doubted(table.verdicts) & found,
        keep_per_identity=keep_per_identity,
        keep_per_camera=keep_per_camera,
    )
    draw = seed if seed is not None else _run_seed(trajectory)
    choice = choose(
        pool, ratio, strategy, entropy=_entropy(run, table), right=_right(trajectory), seed=draw, score=score
    )
    manifest = Manifest.build(
        table,
        values,
        choice.keep,
        verdicts,
        method=method,
        ratio=ratio,
        thresholds=table.thresholds if purify else {},
        source=source,
        regime=choice.regime.as_dict() | {"expectation": choice.regime.expectation(ratio)},
        reason=_reasons(choice.reason, in_doubt, verdicts.confidence),
    )
    path = Path(output) if output is not None else folder / "manifest.csv"
    manifest.write(path)
    return PruneSummary(
        manifest=path,
        scores=(folder / PARQUET, folder / CSV),
        method=method,
        ratio=ratio,
        regime=choice.regime,
        counts=manifest.counts,
        samples=len(manifest),
        identities=len(set(manifest.pid)),
        identities_left=len(set(manifest.new_pid[manifest.kept])),
        in_doubt=int(in_doubt.sum()),
        lost=identities_lost(new_pid, choice.keep),
    )


def score_run(
    run: str | os.PathLike, methods: Sequence[str] | None = None, *, seed: int | None = None
) -> ScoreTable:
    """The scores of a run, from its files where they are there and current, else computed and written.

    Args:
        run: as for :func:`prune`.
        methods: those needed; by default every method that the run's trajectory allows. Others that the files
            have already stay.
        seed: for ``random``; by default the run's own.

    Raises:
        FastreidPruneError: no trajectory, no such method, or the trajectory lacks what it needs.
    """
    folder = _folder(run)
    wanted = scores.available() if methods is None else list(methods)
    for method in wanted:
        scores.get(method)
    table = _current_table(folder)
    if table is not None and seed is None and all(method in table.scores for method in wanted):
        return table
    if table is not None and methods is None and not _digests(folder):
        return table
    trajectory = load_trajectory(folder)
    if trajectory.samples is None:
        raise FastreidPruneError(
            f"{folder}: the trajectory does not name its samples; a manifest needs file names."
        )
    unreadable = trajectory.meta.get("unreadable", [])
    samples = given_samples(trajectory)
    known = {} if table is None else {n: values[: len(samples)] for n, values in table.scores.items()}
    if seed is not None:
        known.pop("random", None)
    values = _scores(trajectory, wanted, known, strict=methods is not None, seed=seed)
    about = _provenance(folder, trajectory)
    if table is None:
        verdicts = Verdicts.unjudged(len(samples))
        fresh = ScoreTable(samples.file_name, samples.pid, samples.camid, values, verdicts, about)
        table = fresh.with_unreadable(unreadable)
    else:
        gap = np.full(len(table) - len(samples), np.nan)
        columns = {name: np.concatenate([column, gap]) for name, column in values.items()}
        table = replace(table, scores=columns, about=table.about | about)
    table.write(folder)
    return table


def run_trajectory(run: str | os.PathLike) -> Trajectory | None:
    """The trajectory of a run; None where only its scores are left."""
    folder = _folder(run)
    return load_trajectory(folder) if _digests(folder) else None


def _scores(
    trajectory: Trajectory, wanted: list[str], known: dict[str, np.ndarray], strict: bool, seed: int | None
) -> dict[str, np.ndarray]:
    values = dict(known)
    for method in wanted:
        if method in values:
            continue
        options = {}
        if method == "random":
            options["seed"] = seed if seed is not None else _run_seed(trajectory)
        try:
            values[method] = given_scores(trajectory, method, scores.compute(trajectory, method, **options))
        except FastreidPruneError as error:
            if strict:
                raise
            logger.info(f"No score {method}: {error}")
    return {name: values[name] for name in sorted(values)}


def _run_seed(trajectory: Trajectory | None) -> int:
    """What chance starts from where nobody says: the run's own seed."""
    seed = None if trajectory is None else trajectory.meta.get("seed")
    return max(seed, 0) if isinstance(seed, int) else 0


def _right(trajectory: Trajectory | None) -> float | None:
    """The share of the samples on which the model was right in its last epoch; None where there is no record."""
    if trajectory is None or not len(trajectory.epochs.visits):
        return None
    return float(trajectory.epochs.correct[-1].sum() / max(trajectory.epochs.visits[-1].sum(), 1))


def _entropy(run: str | os.PathLike, table: ScoreTable) -> np.ndarray:
    """[N] the entropies; NaN where the run's files hold none and its trajectory gives none."""
    try:
        known = table if "entropy" in table.scores else score_run(run, ["entropy"])
    except FastreidPruneError:
        return np.full(len(table), np.nan)
    return known.scores["entropy"]


def _under_new_labels(
    run: str | os.PathLike, table: ScoreTable, method: str, new_pid: np.ndarray
) -> np.ndarray:
    """The scores with those of relabelled samples as under their new identity, where there is a trajectory."""
    values = table.scores[method]
    trajectory = run_trajectory(run) if (new_pid != "").any() else None
    if trajectory is None or trajectory.samples is None:
        return values
    return relabelled_scores(trajectory, method, values, new_pid)


def _folder(run: str | os.PathLike) -> Path:
    """The folder of the scores: ``OUTPUT_DIR/prune``, where the trajectory may be gone already."""
    path = Path(run)
    for folder in (path, path / "prune"):
        if (folder / PARQUET).is_file():
            return folder
    trajectory = find_trajectory(path)
    return trajectory.parent if trajectory.name == "trajectory" else trajectory


def _current_table(folder: Path) -> ScoreTable | None:
    """The scores on disk, unless there are none or the trajectory beside them is another one."""
    if not (folder / PARQUET).is_file():
        return None
    table = ScoreTable.read(folder)
    digests = _digests(folder)
    current = not digests or all(table.about.get(name) == digest for name, digest in digests.items())
    return table if current else None


def _provenance(folder: Path, trajectory: Trajectory) -> dict[str, str]:
    meta = trajectory.meta
    named = {key: meta[key] for key in ("run", "mode", "seed", "config_digest") if key in meta}
    return {key: str(value) for key, value in named.items()} | _digests(folder)


def _digests(folder: Path) -> dict[str, str]:
    for place in (folder / "trajectory", folder):
        if (place / _DIGESTED[-1]).is_file():
            return {
                f"sha256 of {name}": sha256(place / name) for name in _DIGESTED if (place / name).is_file()
            }
    return {}


def _doubted(verdicts: Verdicts) -> np.ndarray:
    return verdicts.mislabelled | verdicts.outlier | verdicts.in_doubt


def _found_something(table: ScoreTable) -> bool:
    """Some label was judged wrong. Where the judge refused, its probabilities are not to be acted on either."""
    against = table.verdicts.mislabelled | table.verdicts.outlier
    return bool((against & ~table.unreadable).any())


def _reasons(reason: np.ndarray, in_doubt: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """The reasons [N] of a choice, with those of the samples in doubt."""
    reason = reason.copy()
    for row in np.flatnonzero(in_doubt):
        reason[row] = (
            f"more likely wrong than right: the label is right with probability {confidence[row]:.2f}"
        )
    return reason


def _unreadable_only(table: ScoreTable) -> Verdicts:
    """Without purification nothing is judged, but what could not be read can still not be trained on."""
    gone = table.unreadable
    empty = np.full(len(table), "", object)
    verdict, reason = (
        np.where(gone, column, "") for column in (table.verdicts.verdict, table.verdicts.reason)
    )
    return Verdicts(verdict, empty, empty, np.where(gone, 1.0, np.nan), reason)
