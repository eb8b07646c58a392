"""The pool that a scored run gives to choose from."""

import os

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.scored_run.rescoring import relabelled_scores
from fastreid_prune.scored_run.run_files import RunFiles
from fastreid_prune.scored_run.verdicts import Verdicts
from fastreid_prune.selection.pool import Pool


def run_pool(
    run: "str | os.PathLike[str] | RunFiles",
    score: str,
    verdicts: Verdicts,
    *,
    excluded: np.ndarray | None = None,
    protected: np.ndarray | None = None,
    doubted: np.ndarray | None = None,
    keep_per_identity: int = 0,
    keep_per_camera: int = 0,
) -> Pool:
    """The samples of a run under the labels that they would be trained with.

    Args:
        run: a scored run; its scores by ``score`` are there.
        score: what ranks.
        verdicts: [N] those acted on: a relabelled sample counts, and is scored, under its new identity.
        excluded: [N] bool, gone already besides the outliers.
        protected: [N] bool, never pruned.
        doubted: [D] int64, the rows that ``auto`` prunes first.
        keep_per_identity, keep_per_camera: the floors of :class:`.Pool`.
    """
    run = RunFiles.open(run)
    table = run.scored([score])
    gone = verdicts.outlier if excluded is None else verdicts.outlier | excluded
    return Pool(
        _under_new_labels(run, score, table.scores[score], verdicts.suggested_pid),
        table.file_name,
        np.where(verdicts.mislabelled, verdicts.suggested_pid, table.pid),
        table.camid,
        features=run.features,
        excluded=gone,
        protected=protected,
        doubted=doubted,
        keep_per_identity=keep_per_identity,
        keep_per_camera=keep_per_camera,
    )


def run_entropy(run: RunFiles) -> np.ndarray:
    """[N] the entropies in nats; NaN where the run's files hold none and its trajectory gives none."""
    try:
        return run.scored(["entropy"]).scores["entropy"]
    except FastreidPruneError:
        return np.full(len(run.verdicts), np.nan)


def _under_new_labels(run: RunFiles, score: str, values: np.ndarray, new_pid: np.ndarray) -> np.ndarray:
    """The scores with those of relabelled samples as under their new identity, where there is a trajectory."""
    trajectory = run.trajectory if (new_pid != "").any() else None
    if trajectory is None or trajectory.samples is None:
        return values
    return relabelled_scores(trajectory, score, values, new_pid)
