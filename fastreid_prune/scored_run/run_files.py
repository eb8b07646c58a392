"""A scored run on disk, opened once: whoever works on a run is handed this, and nobody looks for files again."""

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from typing_extensions import Self

from fastreid_prune import scores
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.files import sha256
from fastreid_prune.scored_run.features import TableFeatures
from fastreid_prune.scored_run.injected import InjectedErrors, given_samples
from fastreid_prune.scored_run.metadata import RunMeta, TrainingRecord
from fastreid_prune.scored_run.score_table import CSV, PARQUET, ScoreTable
from fastreid_prune.scored_run.scoring import score_table
from fastreid_prune.scored_run.verdicts import Verdicts
from fastreid_prune.trajectory import Samples, Trajectory, load_trajectory
from fastreid_prune.trajectory.store import find_trajectory

# the files that tell one trajectory from another; the mean logits come from the same visits and may be large
_DIGESTED = ("samples.csv", "epochs.npz")


class RunFiles:
    """The files of a scored run. Each is read when it is first asked for, and once.

    Where rows are the data set's, they are its N samples in the trajectory's order, then the images that could not
    be read; synthetic outliers that were injected into the training are not among them.

    Attributes:
        folder: of the score files, ``OUTPUT_DIR/prune``.
        trajectory_folder: of the trajectory; None where only scores are left.
    """

    def __init__(self, folder: Path, trajectory_folder: Path | None) -> None:
        self.folder = folder
        self.trajectory_folder = trajectory_folder
        self._table: ScoreTable | None = None
        self._is_read = self._has_all = False

    @classmethod
    def open(cls, run: "str | os.PathLike[str] | RunFiles") -> Self:
        """Open a run; one that is open already is handed back.

        Args:
            run: ``OUTPUT_DIR``, ``OUTPUT_DIR/prune`` or the trajectory's folder.

        Raises:
            FastreidPruneError: neither scores nor a complete trajectory there.
        """
        if isinstance(run, cls):
            return run
        if isinstance(run, RunFiles):
            return cls(run.folder, run.trajectory_folder)
        path = Path(run)
        scored = [folder for folder in (path, path / "prune") if (folder / PARQUET).is_file()]
        if scored:
            folder = scored[0]
        else:
            trajectory = find_trajectory(path)
            folder = trajectory.parent if trajectory.name == "trajectory" else trajectory
        places = [place for place in (folder / "trajectory", folder) if (place / _DIGESTED[-1]).is_file()]
        return cls(folder, places[0] if places else None)

    @property
    def output_folder(self) -> Path:
        """The training's own folder, ``OUTPUT_DIR``."""
        return self.folder.parent if self.folder.resolve().name == "prune" else self.folder

    @property
    def name(self) -> str:
        """The name of the output folder."""
        return self.output_folder.resolve().name

    @property
    def score_files(self) -> tuple[Path, Path]:
        """``scores.parquet`` and ``scores.csv``."""
        return self.folder / PARQUET, self.folder / CSV

    @cached_property
    def trajectory(self) -> Trajectory | None:
        """All rows as trained, those of injected errors among them; None where only scores are left."""
        return None if self.trajectory_folder is None else load_trajectory(self.trajectory_folder)

    def named_trajectory(self, purpose: str) -> Trajectory:
        """The trajectory, if there is one that names its samples.

        Args:
            purpose: what needs it, for the message.

        Raises:
            FastreidPruneError: there is none, or its samples have no names.
        """
        trajectory = self.trajectory
        if trajectory is None:
            raise FastreidPruneError(
                f"{self.folder}: no trajectory, only scores are left of this run, and {purpose} its trajectory. "
                "Copy the trajectory's folder too, or score again."
            )
        if trajectory.samples is None:
            raise FastreidPruneError(
                f"{self.trajectory_folder}: the trajectory does not name its samples, and {purpose} their names. "
                "Give the recorder samples (Samples.from_items)."
            )
        return trajectory

    @cached_property
    def meta(self) -> RunMeta:
        """What the run says of itself; of a run without its trajectory what the scores say."""
        if self.trajectory is not None:
            return RunMeta.of(self.trajectory.meta, f"{self.trajectory_folder}/meta.json")
        about: dict[str, object] = dict(ScoreTable.read(self.folder).about)
        seed = str(about.pop("seed", ""))
        return RunMeta.of(about | ({"seed": int(seed)} if seed.lstrip("-").isdigit() else {}))

    @property
    def seed(self) -> int:
        """What chance starts from where nobody says: the run's own seed, or 0."""
        return max(self.meta.seed or 0, 0)

    @cached_property
    def record(self) -> TrainingRecord:
        """``run.json``; nothing is known where there is none."""
        return TrainingRecord.read(self.folder / "run.json")

    @cached_property
    def injected(self) -> InjectedErrors:
        """The injected errors among the trajectory's rows."""
        return InjectedErrors.of(self.named_trajectory("injected errors are known by"))

    @cached_property
    def samples(self) -> Samples:
        """The data set's samples under the labels that it gives."""
        return given_samples(self.named_trajectory("samples are known by"))

    @cached_property
    def dataset_rows(self) -> np.ndarray:
        """[N] int64, the trajectory's rows of the data set's samples."""
        return np.flatnonzero(self.injected.dataset_rows)

    @property
    def trajectory_rows(self) -> np.ndarray:
        """[N + U] int64, the trajectory's row of each row of the table; -1 where it has none."""
        rows = np.full(len(self._any_table()), -1)
        if self.trajectory is not None:
            rows[: len(self.dataset_rows)] = self.dataset_rows
        return rows

    @property
    def features(self) -> TableFeatures | None:
        """[N + U, D] float32, read when indexed; None where the run kept none."""
        if self.trajectory is None or self.trajectory.features is None:
            return None
        return TableFeatures(self.trajectory.features, self.trajectory_rows)

    @property
    def table(self) -> ScoreTable:
        """Scores by every method that the trajectory allows, and verdicts: N + U rows."""
        return self.scored()

    @property
    def verdicts(self) -> Verdicts:
        """What was judged of each row of the table."""
        return self._any_table().verdicts

    def scored(self, methods: Sequence[str] | None = None, *, seed: int | None = None) -> ScoreTable:
        """The scores, from the files where they are there and current, else computed and written.

        Args:
            methods: those needed; by default every method that the trajectory allows. Others that the files have
                already stay.
            seed: for ``random``; by default the run's own.

        Raises:
            FastreidPruneError: no trajectory, no such method, or the trajectory lacks what it needs.
        """
        wanted = scores.available() if methods is None else list(methods)
        for method in wanted:
            scores.get(method)
        table = self._current_table()
        if table is not None and seed is None:
            complete = self._has_all or self.trajectory_folder is None
            if set(wanted) <= set(table.scores) or (methods is None and complete):
                return table
        trajectory = self.named_trajectory("scores are computed from")
        scored = score_table(
            trajectory, self.meta, wanted,
            known=table if table is None or seed is None else table.without("random"),
            strict=methods is not None, seed=self.seed if seed is None else seed,
            about=self.meta.provenance() | self._digests,
        )  # fmt: skip
        self._has_all |= methods is None
        if table is None or seed is not None or set(scored.scores) != set(table.scores):
            self.write_table(scored)
        return scored if self._table is None else self._table

    def write_table(self, table: ScoreTable) -> None:
        """Make ``table`` the run's, here and on disk."""
        if table is not self._table:
            table.write(self.folder)
        self._table, self._is_read = table, True

    def _any_table(self) -> ScoreTable:
        table = self._current_table()
        return self.scored() if table is None else table

    def _current_table(self) -> ScoreTable | None:
        """The scores on disk, unless there are none or the trajectory beside them is another one."""
        if not self._is_read:
            self._is_read = True
            if (self.folder / PARQUET).is_file():
                table = ScoreTable.read(self.folder)
                if all(table.about.get(name) == digest for name, digest in self._digests.items()):
                    self._table = table
        return self._table

    @cached_property
    def _digests(self) -> dict[str, str]:
        place = self.trajectory_folder
        if place is None:
            return {}
        return {f"sha256 of {name}": sha256(place / name) for name in _DIGESTED if (place / name).is_file()}
