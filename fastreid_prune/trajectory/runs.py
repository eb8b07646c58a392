"""One trajectory from several runs on the same data: an ensemble over seeds."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.trajectory.blocks import Rows
from fastreid_prune.trajectory.factors import FactoredLogits, epoch_shares
from fastreid_prune.trajectory.records import EpochRecords
from fastreid_prune.trajectory.store import Trajectory, find_trajectory, load_trajectory, save_trajectory


def merge_runs(runs: Sequence[str | os.PathLike], output: str | os.PathLike) -> Path:
    """Merge the trajectories of ``runs`` into the run folder ``output``.

    The mean logits are the mean over the runs that visited a sample, each run weighing the same. The records
    stay those of each run, one after another: methods that need them give the mean of the runs' scores.

    Args:
        runs: two or more run folders (merged ones too); rows are matched by file name.
        output: the new run folder; the files go to ``output/prune/trajectory``.

    Returns:
        The folder of the new trajectory.

    Raises:
        FastreidPruneError: a run is missing or damaged, the data sets or class maps differ, or a run is given
            twice.
    """
    folders = [find_trajectory(run) for run in runs]
    target = Path(output) / "prune" / "trajectory"
    resolved = [folder.resolve() for folder in folders]
    if len(runs) < 2 or len(set(resolved)) < len(runs) or target.resolve() in resolved:
        raise FastreidPruneError(
            f"merge: {len(set(resolved))} different runs given for {output}. Give two or more different "
            "runs, and an output folder of its own."
        )
    trajectories = [load_trajectory(folder) for folder in folders]
    for run, trajectory in zip(runs[1:], trajectories[1:], strict=True):
        _refuse_if_different(Path(runs[0]), trajectories[0], Path(run), trajectory)
    orders = [_rows_in_order_of(trajectories[0], trajectory) for trajectory in trajectories]
    parts = [part for run, t in zip(runs, trajectories, strict=True) for part in _parts(Path(run), t)]
    names = vars(trajectories[0].epochs)
    epochs = EpochRecords(
        **{
            name: np.concatenate(
                [getattr(t.epochs, name)[:, o] for t, o in zip(trajectories, orders, strict=True)]
            )
            for name in names
        }
    )
    first = trajectories[0]
    features = None
    kept = [trajectory.features for trajectory in trajectories if trajectory.features is not None]
    if len(kept) == len(trajectories):
        features = SideBySide([Reordered(rows, order) for rows, order in zip(kept, orders, strict=True)])
    else:
        parts = [{**part, "feature_size": 0} for part in parts]
    meta = _common([trajectory.meta for trajectory in trajectories])
    logits = _mean_logits(trajectories, orders, epochs.visits, [part["num_epochs"] for part in parts])
    merged = Trajectory(
        logits,
        first.labels,
        epochs,
        first.samples,
        cast("np.ndarray | None", features),
        {**meta, "runs": parts},
    )
    return save_trajectory(merged, target)


class Reordered:
    """The rows of ``rows`` ``[N, C]`` in the order ``order`` ``[N]``."""

    def __init__(self, rows: Rows, order: np.ndarray) -> None:
        self.shape, self._rows, self._order = rows.shape, rows, order
        self._same = bool(np.array_equal(order, np.arange(len(order))))

    def __getitem__(self, part: slice) -> np.ndarray:
        return self._rows[part] if self._same else cast("np.ndarray", self._rows)[self._order[part]]


class SideBySide:
    """Several ``[N, D_i]`` as one ``[N, sum D_i]``."""

    def __init__(self, parts: Sequence[Rows]) -> None:
        self.shape, self._parts = (parts[0].shape[0], sum(part.shape[1] for part in parts)), parts

    def __getitem__(self, part: slice) -> np.ndarray:
        return np.concatenate([rows[part] for rows in self._parts], axis=1)


class WeightedMean:
    """The mean ``[N, C]`` of several, each row weighted by ``weights`` ``[R, N]``; NaN where all are 0."""

    def __init__(self, parts: Sequence[Rows], weights: np.ndarray) -> None:
        self.shape, self._parts, self._weights = parts[0].shape, parts, weights

    def __getitem__(self, part: slice) -> np.ndarray:
        weights = self._weights[:, part]
        total = np.zeros((weights.shape[1], self.shape[1]))
        for rows, weight in zip(self._parts, weights, strict=True):
            total += np.where(weight[:, None] > 0, rows[part] * weight[:, None], 0)
        weight = weights.sum(0)
        return (total / np.where(weight > 0, weight, np.nan)[:, None]).astype(np.float32)


def _mean_logits(
    trajectories: Sequence[Trajectory],
    orders: Sequence[np.ndarray],
    visits: np.ndarray,
    lengths: Sequence[int],
) -> Rows:
    logits = [trajectory.mean_logits for trajectory in trajectories]
    factored = [rows for rows in logits if isinstance(rows, FactoredLogits)]
    if len(factored) == len(logits) and all(np.array_equal(order, np.arange(len(order))) for order in orders):
        folders = [folder for rows in factored for folder in rows.folders]
        return FactoredLogits.open(folders, epoch_shares(visits, lengths))
    if factored:
        raise FastreidPruneError(
            "merge: runs that keep features and weights instead of logits merge only with each other, and "
            "with their rows in the same order. Score them in the same way from the same list of files."
        )
    weights = []
    for trajectory, order in zip(trajectories, orders, strict=True):
        seen = [run.epochs.visits.sum(0) > 0 for run in trajectory.runs()]
        weights.append(np.sum(seen, axis=0)[order])
    return WeightedMean(
        [Reordered(rows, order) for rows, order in zip(logits, orders, strict=True)], np.array(weights)
    )


def _refuse_if_different(first: Path, a: Trajectory, second: Path, b: Trajectory) -> None:
    def refuse(what: str) -> None:
        raise FastreidPruneError(
            f"merge: {first} and {second} {what}. Only runs on the same data can be merged."
        )

    if a.num_samples != b.num_samples or a.num_classes != b.num_classes:
        refuse(
            f"have {a.num_samples} samples of {a.num_classes} classes and {b.num_samples} of {b.num_classes}"
        )
    if (a.samples is None) != (b.samples is None):
        refuse("name their samples (samples.csv) only in one of the two")
    if a.samples is None or b.samples is None:
        if not np.array_equal(a.labels, b.labels):
            refuse("have different labels")
        return
    missing = sorted(set(a.samples.file_name) ^ set(b.samples.file_name))
    if missing:
        refuse(f"differ in {len(missing)} files, the first {missing[0]}")
    if a.samples.class_names != b.samples.class_names:
        refuse("have different class maps (identities)")
    order = _rows_in_order_of(a, b)
    changed = np.flatnonzero(a.samples.pid != b.samples.pid[order])
    if len(changed):
        row = changed[0]
        refuse(
            f"give different identities to {len(changed)} files, the first {a.samples.file_name[row]}: "
            f"{a.samples.pid[row]} and {b.samples.pid[order[row]]}"
        )


def _rows_in_order_of(first: Trajectory, other: Trajectory) -> np.ndarray:
    """Where each row of ``first`` is in ``other``, ``[N]`` int64."""
    if first.samples is None or other.samples is None:
        return np.arange(other.num_samples)
    place = {name: row for row, name in enumerate(other.samples.file_name)}
    return np.array([place[name] for name in first.samples.file_name], dtype=np.int64)


def _parts(run: Path, trajectory: Trajectory) -> list[dict[str, Any]]:
    if "runs" in trajectory.meta:
        return list(trajectory.meta["runs"])
    described: dict[str, Any] = {
        key: trajectory.meta[key] for key in ("mode", "seed", "config_digest") if key in trajectory.meta
    }
    size = 0 if trajectory.features is None else trajectory.features.shape[1]
    return [{**described, "source": str(run), "num_epochs": trajectory.num_epochs, "feature_size": size}]


def _common(metas: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The entries that all have alike."""
    first = metas[0]
    return {key: value for key, value in first.items() if all(meta.get(key) == value for meta in metas)}
