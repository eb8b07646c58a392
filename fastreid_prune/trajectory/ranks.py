"""One trajectory from what the ranks of a distributed training recorded, each its own visits.

The visits (40 bytes each) go to rank 0 whole; the logits go there block by block, and on to disk. The result
is that of one process that saw the ranks' batches of each step one after another, in the order of the ranks;
the mean logits but for the rounding of a float32 sum made in another order.

All functions here are collective: every rank of ``group`` calls them. ``group`` must take tensors in host
memory (gloo); None is the default group.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import torch.distributed as dist

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.files import written_whole
from fastreid_prune.trajectory.blocks import Rows, row_slices, write_rows
from fastreid_prune.trajectory.factors import Factor
from fastreid_prune.trajectory.feature_recorder import FeatureRecorder
from fastreid_prune.trajectory.joined_log import JoinedLog, join_logs
from fastreid_prune.trajectory.mean_rows import FeatureSum, HostRows, MeanRows
from fastreid_prune.trajectory.per_epoch_logits import epoch_path, open_epoch
from fastreid_prune.trajectory.recorder import LogitRecorder
from fastreid_prune.trajectory.records import summarise
from fastreid_prune.trajectory.store import FACTORS, Trajectory, save_trajectory
from fastreid_prune.trajectory.visit_log import VisitLog

Group = Any


def unvisited_by_all(recorder: LogitRecorder | FeatureRecorder, group: Group = None) -> np.ndarray:
    """The rows ``[K]`` int64 of samples that no closed epoch of any rank has visited."""
    visits = torch.from_numpy(recorder.log.visits.copy())
    dist.all_reduce(visits, group=group)
    return np.flatnonzero(visits.numpy() == 0)


def merge_ranks(
    recorder: LogitRecorder,
    folder: str | os.PathLike,
    meta: Mapping[str, Any] | None = None,
    group: Group = None,
) -> Path:
    """Write the trajectory of all ranks into ``folder``, from rank 0, block by block.

    Raises:
        FastreidPruneError: the ranks do not fit together, or rank 0 cannot write; on every rank.
    """
    joined = _join(recorder.log, group)
    rank = dist.get_rank(group)
    shape = (recorder.log.num_samples, recorder.log.num_classes)
    total = ReducedRows(HostRows(recorder.logit_sum.tensor, shape), group)
    last = joined.last_rank()
    own = _own_features(recorder, joined, last == rank, group)
    features = None if own is None else ReducedRows(own, group, empty=last < 0)

    def write() -> None:
        log = VisitLog(len(last), recorder.log.num_classes, recorder.log.samples, recorder.log.head)
        log.take_over(joined)
        logits = MeanRows(total, log.visits, log.num_classes)
        labels = log.known_labels()
        whole_meta = {**log.meta(), "ranks": dist.get_world_size(group), **(meta or {})}
        records = summarise(log.epochs, labels)
        rows: Rows | None = features
        if features is not None and isinstance(own, FeatureSum):
            rows = MeanRows(features, log.visits, features.shape[1])
        save_trajectory(
            Trajectory(
                logits, labels, records, log.trained_samples(), cast("np.ndarray | None", rows), whole_meta
            ),
            folder,
        )

    _on_first_rank(write, [total, features] if features else [total], group)
    return Path(folder)


def merge_whole(recorder: LogitRecorder, folder: str | os.PathLike, group: Group = None) -> Path:
    """Write the whole trajectories of all ranks (``keep_logits``) into ``folder``, from rank 0.

    Raises:
        ValueError: the recorder kept none.
        FastreidPruneError: the ranks do not fit together, or rank 0 cannot write; on every rank.
    """
    if recorder.per_epoch is None:
        raise ValueError("merge_whole() of a recorder without keep_logits")
    joined = _join(recorder.log, group)
    for epoch, ranks in enumerate(joined.ranks):
        own = ChosenRows(open_epoch(recorder.per_epoch.folder, epoch), ranks == dist.get_rank(group))
        rows = ReducedRows(own, group, empty=ranks < 0)
        _on_first_rank(partial(_write_epoch, epoch_path(folder, epoch), rows), [rows], group)
    return Path(folder)


def merge_feature_ranks(
    recorder: FeatureRecorder,
    folder: str | os.PathLike,
    meta: Mapping[str, Any] | None = None,
    group: Group = None,
) -> Path:
    """Write the trajectory of all ranks' feature recorders, each with a folder of its own, into ``folder``.

    Raises:
        FastreidPruneError: the ranks do not fit together, or rank 0 cannot write; on every rank.
    """
    joined = _join(recorder.log, group)
    for epoch, ranks in enumerate(joined.ranks):
        source = recorder.epoch_folder(epoch)
        own = Factor.open(source).features
        rows = ReducedRows(ChosenRows(own, ranks == dist.get_rank(group)), group)
        target = Path(folder) / FACTORS / source.name
        _on_first_rank(partial(_write_factor, source, target, rows), [rows], group)

    def write() -> None:
        log = recorder.log
        merged = FeatureRecorder(log.num_samples, log.num_classes, folder, samples=log.samples, head=log.head)
        merged.log.take_over(joined)
        merged.save({"ranks": dist.get_world_size(group), **(meta or {})})

    _on_first_rank(write, [], group)
    return Path(folder)


def _own_features(
    recorder: LogitRecorder, joined: JoinedLog, is_last: np.ndarray, group: Group
) -> Rows | None:
    """This rank's part of the features' sum over the ranks; None if no rank recorded features."""
    tensors = {name: getattr(recorder, name).tensor for name in ("features", "training_features")}
    sizes = {name: _largest(0 if rows is None else rows.shape[1], group) for name, rows in tensors.items()}
    host = {name: HostRows(tensors[name], (len(is_last), size)) for name, size in sizes.items() if size}
    last = ChosenRows(host["features"], is_last) if "features" in host else None
    if "training_features" not in host:
        return last
    return FeatureSum(last, host["training_features"], joined.visits)


class ChosenRows:
    """The rows of ``rows`` ``[N, C]`` where ``chosen`` ``[N]`` is true, zeros elsewhere."""

    def __init__(self, rows: Rows, chosen: np.ndarray) -> None:
        self.shape, self._rows, self._chosen = rows.shape, rows, chosen

    def __getitem__(self, part: slice) -> np.ndarray:
        return np.where(self._chosen[part][:, None], self._rows[part], 0).astype(np.float32)


class ReducedRows:
    """The sum over the ranks of each one's rows, block by block, on rank 0.

    Rank 0 reads the blocks in their order, once; the others call :meth:`finish`, which sends all of theirs.
    """

    def __init__(self, own: Rows, group: Group, empty: np.ndarray | None = None) -> None:
        self.shape, self._own, self._group, self._empty = own.shape, own, group, empty
        self._remaining = list(row_slices(own.shape[0], 4 * own.shape[1]))

    def __getitem__(self, part: slice) -> np.ndarray:
        expected = self._remaining.pop(0)
        if part != expected:
            raise ValueError(f"rows {part} out of turn, expected {expected}")
        block = np.array(self._own[part], dtype=np.float32)
        # the tensor is the array's own memory
        dist.reduce(torch.from_numpy(block), _first(self._group), group=self._group)
        if self._empty is not None:
            block[self._empty[part]] = np.nan
        return block

    def finish(self) -> None:
        """Take part in the blocks that are left."""
        while self._remaining:
            self[self._remaining[0]]


def _on_first_rank(write: Callable[[], None], rows: list[ReducedRows], group: Group) -> None:
    """Run ``write`` on rank 0. If it fails there, no rank is left waiting, and every rank hears of it."""
    error: Exception | None = None
    if dist.get_rank(group) == 0:
        try:
            write()
        except Exception as caught:
            error = caught
    for part in rows:
        part.finish()
    message = _broadcast(None if error is None else str(error), group)
    if error is not None:
        raise error
    if message is not None:
        raise FastreidPruneError(f"rank 0 could not write the merged trajectory: {message}")


def _join(log: VisitLog, group: Group) -> JoinedLog:
    size = dist.get_world_size(group)
    payload = log.payload()
    gathered: list[Any] | None = [None] * size if dist.get_rank(group) == 0 else None
    dist.gather_object(payload, gathered, _first(group), group=group)
    result: JoinedLog | str | None = None
    if gathered is not None:
        try:
            result = join_logs(gathered, log.name)
        except FastreidPruneError as error:
            result = str(error)
    # the other ranks need only who saw what last
    sent = result.without_visits() if isinstance(result, JoinedLog) else result
    received = _broadcast(sent, group)
    if isinstance(received, str):
        raise FastreidPruneError(received)
    return result if isinstance(result, JoinedLog) else received


def _broadcast(value: Any, group: Group) -> Any:
    box = [value]
    dist.broadcast_object_list(box, _first(group), group=group)
    return box[0]


def _largest(value: int, group: Group) -> int:
    tensor = torch.tensor(value)
    dist.all_reduce(tensor, dist.ReduceOp.MAX, group=group)
    return int(tensor)


def _first(group: Group) -> int:
    return 0 if group is None else dist.get_global_rank(group, 0)


def _write_epoch(path: Path, rows: Rows) -> None:
    with written_whole(path) as part:
        write_rows(part, rows, "<f2")


def _write_factor(source: Path, target: Path, rows: Rows) -> None:
    part = target.with_name("merged.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for name in ("weight.npy", "bias.npy"):
        shutil.copyfile(source / name, part / name)
    write_rows(part / "features.npy", rows)
    shutil.rmtree(target, ignore_errors=True)
    os.replace(part, target)
