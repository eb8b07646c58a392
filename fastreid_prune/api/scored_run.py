"""A scored run in one's hands: open it, judge it, prune it, look at it, publish it."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import Self

from fastreid_prune import scores
from fastreid_prune.manifest import Manifest, prune_run
from fastreid_prune.scored_run.run_files import RunFiles
from fastreid_prune.trajectory import FeatureRecorder, LogitRecorder, Samples, save_trajectory

# the page, the lists and the judge bring plotting, templates and faiss: imported when they are asked for
if TYPE_CHECKING:
    from fastreid_prune.export import ExportSummary
    from fastreid_prune.purify import JudgedRun
    from fastreid_prune.report import ReportSummary


class Scores(Mapping[str, np.ndarray]):
    """Method -> [N] float64, higher = more worth keeping; each is computed when it is first asked for."""

    def __init__(self, run: RunFiles) -> None:
        self._run = run

    def __getitem__(self, method: str) -> np.ndarray:
        return self._run.scored([method]).scores[method]

    def __iter__(self) -> Iterator[str]:
        return iter(self._run.table.scores)

    def __len__(self) -> int:
        return len(self._run.table.scores)

    def __contains__(self, method: object) -> bool:
        return method in scores.available() and method in self._run.table.scores


class ScoredRun(RunFiles):
    """A training run that recorded what its model said of each sample, from fastreid or from any other loop."""

    @classmethod
    def from_recorder(
        cls,
        recorder: LogitRecorder | FeatureRecorder,
        samples: Samples | None = None,
        folder: str | os.PathLike[str] = "scored_run",
    ) -> Self:
        """Write what a recorder holds into ``folder``, and open it.

        Args:
            recorder: after its last ``end_epoch``.
            samples: who the rows are, where the recorder was not told.
            folder: of the run; its files go to ``folder/prune``.

        Raises:
            FastreidPruneError: the recorder is empty, or the samples are not its rows.
        """
        trajectory = recorder.trajectory()
        if samples is not None:
            trajectory = replace(trajectory, samples=samples)
        save_trajectory(trajectory, Path(folder) / "prune" / "trajectory")
        return cls.open(folder)

    @property
    def scores(self) -> Scores:
        """Method -> [N] float64, in the order of the table's rows."""
        return Scores(self)

    def judge(self, *, precision: float = 0.95) -> "JudgedRun":
        """Which labels are wrong and which images outliers; see :func:`.judge_run`."""
        from fastreid_prune.purify import judge_run

        return judge_run(self, precision=precision)

    def prune(
        self,
        ratio: float,
        strategy: str = "entropy",
        *,
        score: str | None = None,
        purify: bool = False,
        decisions: str | os.PathLike[str] | None = None,
        keep_per_identity: int = 0,
        keep_per_camera: int = 0,
        seed: int | None = None,
        output: str | os.PathLike[str] | None = None,
    ) -> Manifest:
        """What stays and under which label, written to ``manifest.csv`` beside the scores; see :func:`.prune_run`."""
        return prune_run(
            self, ratio, strategy, score=score, purify=purify, decisions=decisions, output=output,
            keep_per_identity=keep_per_identity, keep_per_camera=keep_per_camera, seed=seed,
        ).manifest  # fmt: skip

    def report(
        self, path: str | os.PathLike[str] = "report.html", *, images: str | os.PathLike[str] | None = None
    ) -> "ReportSummary":
        """Write the page that a person judges the run by; see :func:`.write_report`."""
        from fastreid_prune.report import write_report

        return write_report(self, path, images=images)

    def export(
        self,
        path: str | os.PathLike[str],
        formats: Sequence[str] = ("lists",),
        *,
        images: str | os.PathLike[str] | None = None,
    ) -> "ExportSummary":
        """Write lists to publish and formats to go on with; see :func:`.export_run`."""
        from fastreid_prune.export import export_run

        return export_run(self, path, formats, images=images)
