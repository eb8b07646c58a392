"""All that a page is made of, read from a run's files."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastreid_prune.report.soft_labels import SoftLabels, soft_labels
from fastreid_prune.scored_run.features import TableFeatures
from fastreid_prune.scored_run.identity_table import Finding, run_findings
from fastreid_prune.scored_run.injected import named_samples
from fastreid_prune.scored_run.metadata import RunMeta, TrainingRecord
from fastreid_prune.scored_run.run_files import RunFiles
from fastreid_prune.scored_run.score_table import ScoreTable
from fastreid_prune.trajectory import Trajectory


@dataclass(frozen=True)
class Source:
    """A scored run, opened.

    Attributes:
        name: the run folder's name.
        trajectory: of the run; it may hold planted outliers besides the data set's N samples.
        meta: what the run says of itself.
        rows: [N] int64, the trajectory's rows of the data set's samples.
        labels: [N] int64, the classes that the data set gives.
        injected: [N] bool, samples that the run trained under another class, to calibrate its verdicts.
        table: their scores and verdicts.
        unreadable: file names of the images that could not be read, and were not scored.
        soft: their soft labels.
        method: the score that ranks them here.
        record: what the training cost and what came of it.
        images: the folder that file names are relative to; None where no image was found there.
        per_epoch: the folder of the logits of each epoch; None where they were not kept.
        findings: about identities, the most likely of each kind first.
    """

    name: str
    trajectory: Trajectory
    meta: RunMeta
    rows: np.ndarray
    labels: np.ndarray
    injected: np.ndarray
    table: ScoreTable
    unreadable: list[str]
    soft: SoftLabels
    method: str
    record: TrainingRecord
    images: Path | None
    per_epoch: Path | None
    findings: list[Finding]

    @property
    def scores(self) -> np.ndarray:
        """[N] float64 of the method."""
        return self.table.scores[self.method]

    @property
    def features(self) -> TableFeatures | None:
        """[N, D] float32 of the data set's samples, read when indexed; None without features."""
        features = self.trajectory.features
        return None if features is None else TableFeatures(features, self.rows)

    @property
    def class_names(self) -> tuple[str, ...]:
        """[C], the identity of each class."""
        return named_samples(self.trajectory).class_names


def read_source(
    run: str | os.PathLike | RunFiles, images: str | os.PathLike | None, method: str = "entropy"
) -> Source:
    """Gather what a page shows of a scored run.

    Args:
        run: a scored run, or its folder.
        images: the folder that file names are relative to, or the data set's own folder in it; None for data without
            images.
        method: the score to rank by.

    Raises:
        FastreidPruneError: no trajectory there, it does not name its samples, or the method needs what it lacks.
    """
    run = RunFiles.open(run)
    trajectory = run.named_trajectory("a page is made from")
    run.scored()
    table = run.scored([method])
    rows, errors = run.dataset_rows, run.injected
    count = len(rows)
    epochs = run.folder if run.trajectory_folder is None else run.trajectory_folder / "logits"
    return Source(
        name=run.name,
        trajectory=trajectory,
        meta=run.meta,
        rows=rows,
        labels=errors.label[rows],
        injected=errors.moved[rows],
        table=table.take(np.arange(count)),
        unreadable=table.file_name[count:].tolist(),
        soft=soft_labels(trajectory, errors.label).take(rows),
        method=method,
        record=run.record,
        images=None if images is None else _images(Path(images), table.file_name[:count]),
        per_epoch=epochs if epochs.name == "logits" and epochs.is_dir() else None,
        findings=run_findings(run.folder, table),
    )


def _images(root: Path, file_names: np.ndarray) -> Path | None:
    """``root`` or its parent, whichever holds one of the first images."""
    for place in (root, root.parent):
        if any((place / name).is_file() for name in file_names[:20]):
            return place
    return None
