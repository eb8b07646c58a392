"""The manifest as columns: built from scores and verdicts, written, read, checked against a data set."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.names import check_names
from fastreid_prune.manifest.columns import ACTIONS, COLUMNS, KEEP, OUTLIER, PRUNE, RELABEL
from fastreid_prune.manifest.fit import fitting_rows
from fastreid_prune.manifest.reading import read_files
from fastreid_prune.manifest.subset import RelabelledSubset, class_numbers
from fastreid_prune.manifest.writing import write_files
from fastreid_prune.scored_run.verdicts import NEAR_DUPLICATE, Verdicts
from fastreid_prune.selection import hardest_first
from fastreid_prune.trajectory.sample_sources import samples_of


class _Named(Protocol):
    @property
    def file_name(self) -> np.ndarray: ...
    @property
    def pid(self) -> np.ndarray: ...
    @property
    def camid(self) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class Manifest:
    """One row a sample of the data set, pruned ones included.

    Attributes:
        file_name: [N] str, path relative to the data sets' root, with forward slashes; no two are equal.
        pid: [N] str, the identity that the data set gives.
        camid: [N] str.
        new_pid: [N] str, the identity to train with: ``pid``, or another where the label was found wrong.
            Empty for outliers.
        action: [N] str: ``keep``, ``prune``, ``relabel`` (keep under ``new_pid``), ``outlier`` (leave out).
        score: [N] float64, higher = more worth keeping; NaN where a sample could not be scored.
        rank: [N] int64, 1 = hardest, most worth keeping.
        reason: [N] str, in words.
        about: how it was made: method, ratio, thresholds, source, regime, and ``new_ids``, the identities among
            ``new_pid`` that the data set does not have (a person may split one).
        path: where it was read from or written to.
        rows: [N] int64, each sample's index in the data set of the run that this was made from; None where it was
            read from a file.
        class_names: the identity of each class number of that run; empty where it was read from a file.
    """

    file_name: np.ndarray
    pid: np.ndarray
    camid: np.ndarray
    new_pid: np.ndarray
    action: np.ndarray
    score: np.ndarray
    rank: np.ndarray
    reason: np.ndarray
    about: dict = field(default_factory=dict)
    path: Path | None = None
    rows: np.ndarray | None = None
    class_names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.file_name)

    @property
    def kept(self) -> np.ndarray:
        """[N] bool: the samples to train on, under ``new_pid``."""
        return np.asarray((self.action == KEEP) | (self.action == RELABEL), bool)

    def take(self, rows: np.ndarray) -> "Manifest":
        """The manifest of these rows (numbers or a mask); ranks are closed up."""
        columns = {name: getattr(self, name)[rows] for name in COLUMNS}
        columns["rank"] = np.argsort(np.argsort(columns["rank"])) + 1
        kept_rows = None if self.rows is None else self.rows[rows]
        return replace(self, **columns, rows=kept_rows)

    def indices(self, samples: Any = None) -> np.ndarray:
        """The data set's indices of what stays, sorted, [K] int64.

        Args:
            samples: the data set, or what :func:`.samples_of` takes; not needed by a manifest that a run has just made.

        Raises:
            FastreidPruneError: the manifest is for another data set, or was read from a file and no samples are given.
        """
        return np.sort(self._rows_in(samples)[self.kept])

    def subset(self, dataset: Any, samples: Any = None) -> RelabelledSubset:
        """What stays of a data set, under the labels to train with.

        Args:
            dataset: the data set that the run was scored on.
            samples: who its samples are, where neither the manifest nor the data set itself can tell.

        Raises:
            FastreidPruneError: as for :meth:`indices`.
        """
        known = samples_of(dataset if samples is None else samples) if self.rows is None else None
        rows, kept = self._rows_in(known), np.flatnonzero(self.kept)
        kept = kept[np.argsort(rows[kept])]
        if len(kept) and rows[kept[-1]] >= len(dataset):
            raise FastreidPruneError(
                f"manifest: keeps sample {rows[kept[-1]]}, and the data set has {len(dataset)}. It is for another one."
            )
        names = self.class_names if known is None else known.class_names
        return RelabelledSubset(dataset, rows[kept], class_numbers(self.new_pid[kept], names))

    def _rows_in(self, samples: Any) -> np.ndarray:
        if samples is None:
            if self.rows is None:
                raise FastreidPruneError(
                    f"{self.path or 'manifest'}: read from a file, which names samples and does not number them. Give "
                    "the data set, or its samples."
                )
            return self.rows
        known = samples_of(samples)
        places = self.check_against(known.file_name, known.pid)
        rows = np.full(len(self), -1)
        rows[places] = np.arange(len(known))
        return rows

    def training_identities(self) -> dict[str, str]:
        """File name -> identity to train with, of the samples that stay."""
        kept = self.kept
        return dict(zip(self.file_name[kept].tolist(), self.new_pid[kept].tolist(), strict=True))

    @property
    def counts(self) -> dict[str, int]:
        """How many samples have each action."""
        return {action: int((self.action == action).sum()) for action in ACTIONS}

    @classmethod
    def build(
        cls,
        samples: _Named,
        scores: np.ndarray,
        keep: np.ndarray,
        verdicts: Verdicts | None = None,
        *,
        method: str,
        ratio: float,
        thresholds: dict | None = None,
        source: dict | None = None,
        regime: dict | None = None,
        reason: np.ndarray | None = None,
    ) -> "Manifest":
        """The manifest of a scored and selected data set, rows sorted by file name.

        Args:
            samples: ``file_name``, ``pid`` and ``camid``, [N] each (``fastreid_prune.trajectory.Samples``).
            scores: [N] float, higher = more worth keeping; NaN only for outliers.
            keep: [N] bool, as :func:`fastreid_prune.selection.select` gives it.
            verdicts: what was judged; without them nothing is relabelled or an outlier.
            method: the score's name.
            ratio: the fraction pruned of what outliers left.
            thresholds: of the purification, for the record.
            source: the run and its digests, for the record.
            regime: how redundant the set is and what to expect, for the record.
            reason: [N] str, why each pruned sample went; "" is as for the plain ranking.

        Raises:
            FastreidPruneError: unsafe or repeated file names, columns of different lengths, outliers that
                are kept.
        """
        count = len(samples.file_name)
        verdicts = Verdicts.unjudged(count) if verdicts is None else verdicts
        scores, keep = np.asarray(scores, np.float64), np.asarray(keep, bool)
        if not len(samples.pid) == len(samples.camid) == len(scores) == len(keep) == len(verdicts) == count:
            raise FastreidPruneError(
                f"manifest: expected scores, keep and verdicts for each of {count} samples."
            )
        check_names(samples.file_name, "manifest")
        if (keep & verdicts.outlier).any():
            raise FastreidPruneError(
                "manifest: an outlier cannot be kept: exclude outliers from the selection."
            )
        pid = np.asarray(samples.pid, dtype=object)
        new_pid = np.where(verdicts.mislabelled, verdicts.suggested_pid, pid)
        action = np.full(count, KEEP, object)
        action[new_pid != pid] = RELABEL
        action[~keep] = PRUNE
        action[verdicts.outlier] = OUTLIER
        new_pid[verdicts.outlier] = ""
        why = np.asarray(verdicts.reason, dtype=object).copy()
        why[(action == PRUNE) & (verdicts.verdict == NEAR_DUPLICATE)] = ""  # that is not why it goes
        if reason is not None:
            why = np.where((action == PRUNE) & (why == ""), reason, why)
        why[(action == PRUNE) & (why == "")] = f"among the lowest {100 * ratio:g} % by {method}"
        rank = np.empty(count, np.int64)
        rank[hardest_first(scores, samples.file_name)] = np.arange(1, count + 1)
        order = np.argsort(np.asarray(samples.file_name, dtype=object), kind="stable")
        file_name, camid = (np.asarray(column, dtype=object) for column in (samples.file_name, samples.camid))
        columns = (file_name, pid, camid, new_pid, action, scores, rank, why)
        about = {"method": method, "ratio": ratio, "thresholds": thresholds or {}, "source": source or {}}
        about["regime"] = regime or {}
        made = cls(*(column[order] for column in columns))  # type: ignore[arg-type]
        new_ids = sorted(set(new_pid[keep]) - set(pid))
        return replace(made, about=about | {"new_ids": new_ids}, rows=order)

    def check_against(
        self, file_names: Sequence[str] | np.ndarray, pids: Sequence[str] | np.ndarray
    ) -> np.ndarray:
        """The manifest's row of each sample of a data set, [M] int64, if it is the data set that this is for.

        Raises:
            FastreidPruneError: images without a row, rows without an image, other identities than the data
                set's, ``new_pid`` unknown to it; with how many and the first few.
        """
        return fitting_rows(self, file_names, pids)

    def write(self, path: str | os.PathLike) -> "Manifest":
        """Write ``path`` (CSV) and the JSON beside it. The same manifest gives the same bytes.

        Returns:
            The manifest, which knows its path.

        Raises:
            FastreidPruneError: the rows contradict themselves, or the files cannot be written.
        """
        write_files(Path(path), {name: getattr(self, name) for name in COLUMNS}, self.about)
        return replace(self, path=Path(path))

    @classmethod
    def read(cls, path: str | os.PathLike, *, edited: bool = False) -> "Manifest":
        """Read and check a manifest.

        Args:
            path: the CSV; its JSON is beside it.
            edited: accept rows that were changed since it was written, and a missing JSON. The rows must
                still make sense; ranks are closed up where rows were removed. Write it again to vouch for it.

        Raises:
            FastreidPruneError: what is wrong, and in how many rows.
        """
        columns, about = read_files(Path(path), edited)
        return replace(cls(*(columns[name] for name in COLUMNS)), about=about, path=Path(path))  # type: ignore[arg-type]
