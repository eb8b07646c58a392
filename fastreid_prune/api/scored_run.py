"""A scored run in one's hands: open it, judge it, prune it, look at it, publish it."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import Self

from fastreid_prune import scores
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.manifest import Manifest, prune_run
from fastreid_prune.purify.injecting import InjectedLabels
from fastreid_prune.scored_run.injected import META_KEY
from fastreid_prune.scored_run.run_files import RunFiles
from fastreid_prune.trajectory import FeatureRecorder, LogitRecorder, save_trajectory
from fastreid_prune.trajectory.sample_sources import samples_of

# the page, the lists and the judge bring plotting, templates and faiss: imported when they are asked for
if TYPE_CHECKING:
    from fastreid_prune.formats import ExportSummary
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
        samples: Any = None,
        folder: str | os.PathLike[str] = "scored_run",
        *,
        injected: InjectedLabels | None = None,
        meta: Mapping[str, Any] | None = None,
    ) -> Self:
        """Write what a recorder holds into ``folder``, and open it.

        Args:
            recorder: after its last ``end_epoch``.
            samples: who the rows are, as the data set gives them: what :func:`.samples_of` takes. By default those
                that the recorder was given, or else the labels that it saw.
            folder: of the run; its files go to ``folder/prune``.
            injected: what was injected into the labels that the loop trained with.
            meta: what else ``meta.json`` should say; see :class:`.RunMeta`.

        Raises:
            FastreidPruneError: the labels that the loop trained with are not those of the samples.
        """
        log = recorder.log
        named = samples_of(samples) if samples is not None else log.samples
        if named is None:
            named = samples_of(log.labels if injected is None else injected.given)
        record = None
        if injected is not None:
            named, record = injected.trained(named)
        if len(named) != log.num_samples:
            raise FastreidPruneError(
                f"samples: {len(named)} given, and the recorder has num_samples={log.num_samples}. Give it one row a "
                "sample of the training set, synthetic outliers included."
            )
        log.samples = named
        more = dict(meta or {}) | ({} if record is None else {META_KEY: record})
        target = Path(folder) / "prune" / "trajectory"
        if isinstance(recorder, FeatureRecorder):
            save_trajectory(recorder.trajectory(more), target)
        else:
            recorder.save(target, more)
        return cls.open(folder)

    @property
    def scores(self) -> Scores:
        """Method -> [N] float64, in the order of the table's rows."""
        return Scores(self)

    def judge(self, *, rule: str = "judge", precision: float = 0.95) -> "JudgedRun":
        """Which labels are wrong and which images outliers; see :func:`.judge_run`."""
        from fastreid_prune.purify import judge_run

        return judge_run(self, rule=rule, precision=precision)

    def prune(
        self,
        ratio: float,
        strategy: str = "entropy",
        *,
        score: str | None = None,
        purify: bool = False,
        identities: bool = False,
        decisions: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
        keep_per_identity: int = 0,
        keep_per_camera: int = 0,
        seed: int | None = None,
        most_removed: float = 0.2,
        lose_identities: bool = False,
        output: str | os.PathLike[str] | None = None,
    ) -> Manifest:
        """What stays and under which label, written to ``manifest.csv`` beside the scores; see :func:`.prune_run`."""
        return prune_run(
            self, ratio, strategy, score=score, purify=purify, identities=identities, decisions=decisions,
            output=output, keep_per_identity=keep_per_identity, keep_per_camera=keep_per_camera, seed=seed,
            most_removed=most_removed, lose_identities=lose_identities,
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
        from fastreid_prune.formats import export_run

        return export_run(self, path, formats, images=images)
