"""The most probable classes of each sample where there are too many logits to compute: found through inverted lists.

Logits that are kept as features and weights cost ``N C T D`` operations to read. Beyond a size only those classes are
computed that a sample's features point to (inner products, found as :mod:`.inverted_lists` finds neighbours), that
were predicted in the last epochs, or that are given. What all other classes sum up to is estimated from classes drawn
at random, the same for all samples, each standing for as many as were not drawn: an unbiased estimate of the softmax's
denominator. How often the list of classes is right, and how far the entropy is off, is measured on a sample of rows.
"""

import hashlib
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.evaluation import inverted_lists
from fastreid_prune.evaluation.inverted_lists import (
    CLASSES_A_LIST,
    LISTS_ASKED,
    Partition,
    is_exact,
    knn_in_lists,
)
from fastreid_prune.evaluation.knn import knn
from fastreid_prune.io.bars import bar
from fastreid_prune.io.files import written_whole
from fastreid_prune.io.work import Pool, Work
from fastreid_prune.scores.factored_entropy import entropy_of_tiles
from fastreid_prune.trajectory import Trajectory
from fastreid_prune.trajectory.blocks import Rows, row_slices
from fastreid_prune.trajectory.factors import FactoredLogits

logger = logging.getLogger("fastreid.prune")

# up to so many logits all are computed (ours)
EXACT_LOGITS = 1_000_000_000
TOP, _DRAWN = 16, 2048
# epochs, the last ones, whose predictions are looked at
_PREDICTED = 3
_BLOCK_BYTES = 512 << 20
_CHECKED = 256
_FILE = "top_classes.npz"


@dataclass(frozen=True)
class TopClasses:
    """Of N samples.

    Attributes:
        classes: [N, K] int32, those with the highest mean logits that were found, the highest first.
        logits: [N, K] float32, exact.
        log_total: [N] float64, ln of the sum of exp(logit) over all classes, estimated; NaN where never visited.
        entropy: [N] float64 of the soft label, nats, estimated; NaN as above.
        first_found: the share of rows, of a sample, whose first class is the true first one.
        entropy_error: the mean distance of the entropy from the exact one, nats, on the same sample.
    """

    classes: np.ndarray
    logits: np.ndarray
    log_total: np.ndarray
    entropy: np.ndarray
    first_found: np.ndarray
    entropy_error: np.ndarray

    @property
    def sentence(self) -> str:
        """What is not exact, in words."""
        return (
            f"There are too many logits to compute all: the classes that each sample could belong to were looked up "
            f"(the first one is right for {100 * float(self.first_found):.1f} % of {_CHECKED} samples), and the "
            f"entropy is estimated from {_DRAWN} further classes (off by {float(self.entropy_error):.4f} nats on "
            "average)."
        )


def too_many(logits: Rows, limit: int | None = None) -> bool:
    """Whether logits are kept as factors and are more than are computed one and all."""
    limit = EXACT_LOGITS if limit is None else limit
    return isinstance(logits, FactoredLogits) and logits.shape[0] * logits.shape[1] > limit


def top_classes(trajectory: Trajectory, pool: Pool | None = None) -> TopClasses:
    """Look up the most probable classes of all samples, or read what an earlier call kept beside the factors.

    The given classes and those that were predicted in the last epochs are looked at besides: most often one of them is
    the first.

    Args:
        trajectory: whose mean logits are :class:`.factors.FactoredLogits`.
        pool: what looks up blocks of samples; None: this process.
    """
    logits, labels = trajectory.mean_logits, np.asarray(trajectory.labels)
    assert isinstance(logits, FactoredLogits)
    besides = np.column_stack([*trajectory.epochs.predicted[-_PREDICTED:], labels])
    path = logits.folders[0].parent / _FILE if logits.folders else None
    digest = _key(logits, trajectory.epochs.predicted[-_PREDICTED:])
    key = np.frombuffer(digest, np.uint8)
    if path is not None and path.is_file():
        with np.load(path, allow_pickle=False) as kept:
            if "key" in kept and np.array_equal(kept["key"], key):
                return TopClasses(**{name: kept[name] for name in TopClasses.__dataclass_fields__})
    between = None if path is None else path.with_name(f"{path.stem}_{digest.hex()[:16]}")
    found = _looked_up(logits, besides, Work(between, pool))
    if path is not None and between is not None:
        try:
            with written_whole(path) as part, open(part, "wb") as file:
                np.savez(file, key=key, **vars(found))
            shutil.rmtree(between, ignore_errors=True)
        except FastreidPruneError as error:
            logger.warning(f"Looked up, but not kept for the next command: {error}")
    return found


def _key(logits: FactoredLogits, predicted: np.ndarray) -> bytes:
    """Tells the factors that a file is of."""
    digest = hashlib.sha256(np.ascontiguousarray(logits.shares).data)
    digest.update(np.ascontiguousarray(predicted).data)
    digest.update(
        repr(
            (
                logits.shape,
                TOP,
                _DRAWN,
                LISTS_ASKED,
                CLASSES_A_LIST,
                is_exact(logits.shape[1], inverted_lists.EXACT_CLASSES),
            )
        ).encode()
    )
    for folder in logits.folders:
        for name in ("features", "weight", "bias"):
            about = (Path(folder) / f"{name}.npy").stat()
            digest.update(repr((about.st_size, about.st_mtime_ns)).encode())
    return digest.digest()


def _looked_up(logits: FactoredLogits, besides: np.ndarray, work: Work) -> TopClasses:
    count, classes = logits.shape
    top = min(TOP, classes)
    right = logits.right(slice(None))
    partition = list_of = None
    if not is_exact(classes, inverted_lists.EXACT_CLASSES):
        partition = Partition.of(right, CLASSES_A_LIST)
        list_of = partition.lists(right, 1)[:, 0]
    drawn = np.sort(np.random.default_rng(0).choice(classes, min(_DRAWN, classes), replace=False))
    common = logits, right, besides, top, partition, list_of, drawn
    blocks = list(row_slices(count, 4 * (logits.width + len(drawn)), _BLOCK_BYTES))
    done = work.blocks("block", _look_up, common, blocks)
    parts = []
    with bar("looking up classes", count) as advance:
        for rows, found in zip(blocks, done, strict=True):
            parts.append(found)
            advance(rows.stop - rows.start)
    best, value, log_total, entropy = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    seen = np.flatnonzero(np.isfinite(entropy))
    some = np.sort(np.random.default_rng(1).permutation(seen)[:_CHECKED])
    true = torch.cat([tile for tile in logits.tiles(some)], 1)
    first = true.argmax(1).cpu().numpy() == best[some, 0]
    off = np.abs(entropy_of_tiles([true]) - entropy[some])
    return TopClasses(best, value, log_total, entropy, np.mean(first), np.mean(off))


def _look_up(
    logits: FactoredLogits,
    right: np.ndarray,
    besides: np.ndarray,
    top: int,
    partition: Partition | None,
    list_of: np.ndarray | None,
    drawn: np.ndarray,
    rows: slice,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Classes, logits, ln of the denominator and entropy of a slice of rows, as of :class:`TopClasses`."""
    left, classes = logits.left(rows), logits.shape[1]
    best, value = np.zeros((len(left), top), np.int32), np.full((len(left), top), np.nan, np.float32)
    log_total, entropy = np.full(len(left), np.nan), np.full(len(left), np.nan)
    seen = np.flatnonzero(np.isfinite(left).all(1))
    some = np.ascontiguousarray(left[seen])
    if partition is None or list_of is None:
        near, found = knn(some, right, top)
    else:
        near, found = knn_in_lists(some, right, top, partition.lists(some, LISTS_ASKED), list_of)
    at = rows.start + seen
    also = besides[at]
    for one, logit in zip(also.T, logits.at(at, np.maximum(also, 0)).T, strict=True):
        near, found = _with(near, found, one, logit)
    best[seen], value[seen] = np.maximum(found, 0), near
    place = np.full(classes, -1)
    place[drawn] = np.arange(len(drawn))
    others = (torch.from_numpy(some) @ torch.from_numpy(right[drawn]).T).numpy()
    log_total[seen], entropy[seen] = _summed(near, found, others, place, classes)
    logits.release()
    return best, value, log_total, entropy


def _with(
    near: np.ndarray, found: np.ndarray, other: np.ndarray, logit: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The logits [n, K] and classes [n, K] found, with another class [n] and its logit [n] where it is missing, instead
    of the last; -1 is no class."""
    missing = (other >= 0) & ~(found == other[:, None]).any(1)
    near[missing, -1], found[missing, -1] = logit[missing], other[missing]
    order = np.argsort(-near, axis=1, kind="stable")
    return np.take_along_axis(near, order, 1), np.take_along_axis(found, order, 1)


def _summed(
    near: np.ndarray, found: np.ndarray, others: np.ndarray, place: np.ndarray, classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """ln of the softmax's denominator, and the entropy, [n] float64 each.

    Args:
        near: [n, K] float32, the highest logits, falling.
        found: [n, K] int64, their classes; -1 where there are fewer.
        others: [n, S] float32, the logits of the classes drawn; changed.
        place: [C] int64, the place of each class among those drawn; -1 where it was not.
        classes: C.
    """
    known = found >= 0
    twice = np.where(known, place[np.maximum(found, 0)], -1)
    row, column = np.nonzero(twice >= 0)
    others[row, twice[row, column]] = -np.inf
    drawn = others.shape[1] - np.bincount(row, minlength=len(near))
    stands_for = (classes - known.sum(1)) / np.maximum(drawn, 1)
    top = near[:, :1]
    apart = near[:, 1:] - top
    e = np.exp(apart.astype(np.float64))
    rest, weighted = e.sum(1), np.where(e > 0, apart * e, 0).sum(1)
    far = torch.from_numpy(others).sub_(torch.from_numpy(top))
    e_far = far.exp()
    rest += stands_for * e_far.sum(1, dtype=torch.float64).numpy()
    weighted += stands_for * e_far.mul_(far).nan_to_num_(0.0).sum(1, dtype=torch.float64).numpy()
    return top[:, 0] + np.log1p(rest), np.log1p(rest) - weighted / (1 + rest)
