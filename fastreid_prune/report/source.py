"""All that a page is made of, read from a run's files."""

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.report.soft_labels import SoftLabels, soft_labels
from fastreid_prune.scored_run.injected import InjectedErrors
from fastreid_prune.scored_run.pruning import score_run
from fastreid_prune.scored_run.score_table import ScoreTable
from fastreid_prune.trajectory import Trajectory, load_trajectory
from fastreid_prune.trajectory.store import find_trajectory


@dataclass(frozen=True)
class Source:
    """A scored run, opened.

    Attributes:
        name: the run folder's name.
        trajectory: of the run; it may hold planted outliers besides the data set's N samples.
        own: [N] int64, the trajectory's rows of the data set's samples.
        labels: [N] int64, the classes that the data set gives.
        switched: [N] bool, samples that the run trained under another class, to calibrate its verdicts.
        table: their scores and verdicts.
        unreadable: file names of the images that could not be read, and were not scored.
        soft: their soft labels.
        method: the score that ranks them here.
        record: ``run.json``; empty where the run has none.
        images: the folder that file names are relative to; None where no image was found there.
        whole: the folder of the whole trajectory's epochs; None where it was not kept.
    """

    name: str
    trajectory: Trajectory
    own: np.ndarray
    labels: np.ndarray
    switched: np.ndarray
    table: ScoreTable
    unreadable: list[str]
    soft: SoftLabels
    method: str
    record: dict[str, Any]
    images: Path | None
    whole: Path | None

    @property
    def scores(self) -> np.ndarray:
        """[N] float64 of the method."""
        return self.table.scores[self.method]

    @cached_property
    def features(self) -> np.ndarray | None:
        """[N, D] float32 of the data set's samples, memory-mapped where that is all; None without features."""
        features = self.trajectory.features
        return features if features is None or len(self.own) == len(features) else features[self.own]

    @property
    def class_names(self) -> tuple[str, ...]:
        """[C], the identity of each class."""
        return self.trajectory.samples.class_names


def read_source(run: str | os.PathLike, images: str | os.PathLike, method: str = "entropy") -> Source:
    """Open a scored run.

    Args:
        run: ``OUTPUT_DIR``, ``OUTPUT_DIR/prune`` or the trajectory's folder.
        images: the folder that file names are relative to, or the data set's own folder in it.
        method: the score to rank by.

    Raises:
        FastreidPruneError: no trajectory there, it does not name its samples, or the method needs what it lacks.
    """
    folder = find_trajectory(run)
    trajectory = load_trajectory(folder)
    if trajectory.samples is None:
        raise FastreidPruneError(
            f"{folder}: the trajectory does not name its samples, so there is no image to show."
        )
    score_run(run)
    table = score_run(run, [method])
    own = folder.parent if folder.name == "trajectory" else folder
    planted = InjectedErrors.of(trajectory)
    rows = np.flatnonzero(planted.dataset_rows)
    count = len(rows)
    whole = folder / "logits"
    return Source(
        name=_run_name(own),
        trajectory=trajectory,
        own=rows,
        labels=planted.label[rows],
        switched=planted.moved[rows],
        table=table.take(np.arange(count)),
        unreadable=table.file_name[count:].tolist(),
        soft=soft_labels(trajectory, planted.label).take(rows),
        method=method,
        record=read_record(own / "run.json"),
        images=_images(Path(images), table.file_name[:count]),
        whole=whole if whole.is_dir() else None,
    )


def read_record(path: Path) -> dict[str, Any]:
    """A run's ``run.json``: what it cost and what came of it; empty where there is none.

    Raises:
        FastreidPruneError: the file is damaged.
    """
    if not path.is_file():
        return {}
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FastreidPruneError(f"{path}: cannot be read ({error}). Copy it again, or remove it.") from error
    return record if isinstance(record, dict) else {}


def _run_name(folder: Path) -> str:
    folder = folder.resolve()
    return folder.parent.name if folder.name == "prune" else folder.name


def _images(root: Path, file_names: np.ndarray) -> Path | None:
    """``root`` or its parent, whichever holds one of the first images."""
    for place in (root, root.parent):
        if any((place / name).is_file() for name in file_names[:20]):
            return place
    return None
