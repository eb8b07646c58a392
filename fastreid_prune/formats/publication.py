"""What is exported: one data set of a scored run, with its scores, verdicts and manifest."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.names import check_names, dataset_names, dataset_title
from fastreid_prune.manifest import Manifest
from fastreid_prune.scored_run.metadata import RunMeta
from fastreid_prune.scored_run.run_files import RunFiles
from fastreid_prune.scored_run.score_table import ScoreTable
from fastreid_prune.selection import hardest_first
from fastreid_prune.trajectory import Trajectory


@dataclass(frozen=True)
class Publication:
    """One data set of a scored run. Its samples are the rows of ``table``, in the run's order.

    Attributes:
        name: the data set's name, fit to be a folder's.
        table: scores and verdicts, N rows.
        method: the score that ranks.
        order: [N] int64, rows from the hardest sample to the easiest.
        manifest: what stays under which identity, N rows in its own order.
        rows: [N] int64, each sample's row in the trajectory; -1 where it has none, as images that could not be
            read.
        trajectory: the run's, of which formats read the mean logits; None where only its scores are there.
        meta: what the trajectory says of its run.
    """

    name: str
    table: ScoreTable
    method: str
    order: np.ndarray
    manifest: Manifest
    rows: np.ndarray
    trajectory: Trajectory | None
    meta: RunMeta

    def __len__(self) -> int:
        return len(self.table)

    def manifest_rows(self) -> np.ndarray:
        """[N] int64: the manifest's row of each sample."""
        names = pa.array(self.manifest.file_name, pa.string())
        return pc.index_in(pa.array(self.table.file_name, pa.string()), value_set=names).to_numpy()


def publications(
    run: str | os.PathLike | RunFiles, method: str, manifest: str | os.PathLike | None = None
) -> list[Publication]:
    """The data sets of a scored run, by name.

    Args:
        run: a scored run, or its folder.
        method: the score that ranks.
        manifest: what stays; by default everything but outliers, relabelled where the run's verdicts say so.

    Raises:
        FastreidPruneError: no scored run, no such method, a file name that leaves the root, or a manifest for
            other samples.
    """
    run = RunFiles.open(run)
    table = run.table
    if method not in table.scores:
        raise FastreidPruneError(
            f"{run.folder}: no scores by {method!r}; there are {', '.join(table.scores)}."
        )
    check_names(table.file_name, str(run.folder))
    rows = run.trajectory_rows
    chosen = _whole_manifest(table, method) if manifest is None else Manifest.read(manifest)
    chosen.check_against(table.file_name, table.pid)
    belongs = dataset_names(table.pid)
    folders = _folder_names(sorted(set(belongs)) or ["dataset"], run.meta.dataset)
    result = []
    for name in sorted(folders):
        own = np.flatnonzero(belongs == name)
        part = table.take(own)
        order = hardest_first(part.scores[method], part.file_name)
        result.append(
            Publication(
                folders[name],
                part,
                method,
                order,
                _restrict(chosen, part),
                rows[own],
                run.trajectory,
                run.meta,
            )
        )
    return result


def _whole_manifest(table: ScoreTable, method: str) -> Manifest:
    scores = table.scores[method]
    keep = ~table.verdicts.outlier
    source = dict(sorted(table.about.items()))
    return Manifest.build(table, scores, keep, table.verdicts, method=method, ratio=0.0, source=source)


def _restrict(manifest: Manifest, table: ScoreTable) -> Manifest:
    """The rows of one data set; ranks count within it."""
    own = pc.is_in(pa.array(manifest.file_name), value_set=pa.array(table.file_name))
    return manifest.take(np.asarray(own, bool))


def _folder_names(names: list[str], registered: Sequence[str]) -> dict[str, str]:
    """Data set -> a folder's name: as the trainer calls the data set where that can be told."""
    known = {name.lower(): dataset_title(name) for name in registered if isinstance(name, str)}
    if len(names) == len(registered) == 1:
        known[names[0].lower()] = dataset_title(registered[0])
    folders: dict[str, str] = {}
    for name in names:
        safe = re.sub(r"[^A-Za-z0-9._-]", "_", known.get(name.lower(), name))[:100].lstrip(".") or "dataset"
        taken = {folder.lower() for folder in folders.values()}
        unique, number = safe, 2
        while unique.lower() in taken:
            unique, number = f"{safe}-{number}", number + 1
        folders[name] = unique
    return folders
