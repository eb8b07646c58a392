"""Mean logits that are never stored: features and classifier weights of every epoch instead."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.trajectory.blocks import release_pages, row_slices

# Large enough that the matrix product, not the reading, takes the time.
_TILE_ROWS, _TILE_CLASSES = 2048, 4096
_PAIR_BYTES = 32 << 20


@dataclass(frozen=True)
class Factor:
    """One epoch: logits ``[N, C]`` = features ``[N, D]`` @ weight ``[C, D]``.T + bias ``[C]``, float32."""

    features: np.ndarray
    weight: np.ndarray
    bias: np.ndarray

    @classmethod
    def open(cls, folder: str | os.PathLike) -> "Factor":
        """The factor in ``folder``, memory-mapped.

        Raises:
            FastreidPruneError: a file is missing, damaged, or does not fit the others.
        """
        arrays = {}
        for name in ("features", "weight", "bias"):
            path = Path(folder) / f"{name}.npy"
            try:
                arrays[name] = np.load(path, mmap_mode="r", allow_pickle=False)
            except (OSError, ValueError, EOFError) as error:
                raise FastreidPruneError(
                    f"{path}: cannot be read ({type(error).__name__}: {error}). Copy the trajectory's folder "
                    "again, or score again."
                ) from error
        classes, size = arrays["weight"].shape
        if arrays["features"].shape[1:] != (size,) or arrays["bias"].shape != (classes,):
            shapes = {name: list(array.shape) for name, array in arrays.items()}
            raise FastreidPruneError(
                f"{folder}: the files do not belong together: {shapes}. Copy them again."
            )
        return cls(**arrays)


class FactoredLogits:
    """The weighted sum over epochs of ``features @ weight.T + bias``, computed when it is read.

    With the epochs side by side this is one matrix product whose inner dimension is ``T D``: exact, at
    ``2 N C T D`` operations, and ``4 T (N + C) D`` bytes on disk instead of ``4 N C``.

    Args:
        factors: one an epoch.
        shares: ``[T, N]``, the weight of each epoch in each sample's mean; see :func:`epoch_shares`.
        folders: where the factors are on disk, one an epoch.
        device: where the products are computed; None: on a GPU if there is one.

    Attributes:
        shape: (N, C).
        shares: as given.
    """

    def __init__(
        self,
        factors: Sequence[Factor],
        shares: np.ndarray,
        folders: Sequence[Path],
        device: str | None = None,
    ) -> None:
        self.shape = (factors[0].features.shape[0], factors[0].weight.shape[0])
        self.folders = list(folders)
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._factors, self.shares = list(factors), shares.astype(np.float32)

    @classmethod
    def open(cls, folders: Sequence[Path], shares: np.ndarray, device: str | None = None) -> "FactoredLogits":
        """The factors in ``folders``, memory-mapped."""
        return cls([Factor.open(folder) for folder in folders], shares, folders, device)

    @property
    def last_features(self) -> np.ndarray:
        """``[N, D]`` float32, the features of the last epoch."""
        return self._factors[-1].features

    def __reduce__(self) -> tuple[Any, ...]:
        """To another process goes where the files are, not what is in them."""
        if self.folders:
            folders = [Path(folder).resolve() for folder in self.folders]
            return FactoredLogits.open, (folders, self.shares, "cpu" if self.device == "cpu" else None)
        return FactoredLogits, (self._factors, self.shares, self.folders, self.device)

    def to(self, device: str) -> "FactoredLogits":
        """The same, computed on ``device``."""
        return FactoredLogits(self._factors, self.shares, self.folders, device)

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """The rows ``[n, C]`` float32 of a slice, or of an array of row numbers ``[n]``."""
        return torch.cat(list(self.tiles(rows)), dim=1).cpu().numpy()

    @property
    def width(self) -> int:
        """T (D + 1), the inner dimension of :meth:`left` and :meth:`right`."""
        return sum(factor.features.shape[1] + 1 for factor in self._factors)

    def left(self, rows: slice | np.ndarray) -> np.ndarray:
        """``[n, T (D + 1)]`` float32: the features of all epochs by their shares, and the shares."""
        share = self.shares[:, rows]
        parts = [s[:, None] * factor.features[rows] for s, factor in zip(share, self._factors, strict=True)]
        return np.concatenate([*parts, share.T], 1, dtype=np.float32)

    def right(self, classes: slice | np.ndarray) -> np.ndarray:
        """``[c, T (D + 1)]`` float32: the weights of all epochs, and the biases; logits are left @ right.T."""
        parts = [factor.weight[classes] for factor in self._factors]
        bias = np.stack([factor.bias[classes] for factor in self._factors], 1)
        return np.concatenate([*parts, bias], 1, dtype=np.float32)

    def at(self, rows: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """The logits ``[n, M]`` float32 of some classes ``[n, M]`` of each row ``[n]``; those of class -1 mean nothing.

        Costs ``n M T D`` operations, whatever the number of classes.
        """
        result = np.zeros(classes.shape, np.float32)
        for part in row_slices(
            len(rows), 4 * classes.shape[1] * self._factors[0].features.shape[1], _PAIR_BYTES
        ):
            some, wanted = rows[part], classes[part]
            for share, factor in zip(self.shares[:, some], self._factors, strict=True):
                values = np.matmul(factor.weight[wanted], factor.features[some][:, :, None])[:, :, 0]
                result[part] += share[:, None] * (values + factor.bias[wanted])
        self.release()
        return result

    def release(self) -> None:
        """Hand back the pages of the features that were read; else a process would seem to own all of them."""
        for factor in self._factors:
            release_pages(factor.features)

    def row_tiles(self) -> Iterator[tuple[slice, Iterator[Tensor]]]:
        """Go through all rows in order as ``(rows, tiles)``; tiles ``[n, c]`` side by side are ``[n, C]``."""
        for rows in row_slices(self.shape[0], 1, _TILE_ROWS):
            yield rows, self.tiles(rows)
            self.release()

    def tiles(self, rows: slice | np.ndarray) -> Iterator[Tensor]:
        """The logits of ``rows``, a range of classes at a time, ``[n, c]`` float32 on the device."""
        share = torch.from_numpy(self.shares[:, rows])
        parts = [
            s[:, None] * _tensor(factor.features[rows])
            for s, factor in zip(share, self._factors, strict=True)
        ]
        left = torch.cat(parts, 1)
        left, share = left.to(self.device), share.to(self.device)
        for classes in row_slices(self.shape[1], 1, _TILE_CLASSES):
            right = torch.cat([_tensor(factor.weight[classes]) for factor in self._factors], 1)
            bias = torch.stack([_tensor(factor.bias[classes]) for factor in self._factors])
            yield left @ right.to(self.device).T + share.T @ bias.to(self.device)


def epoch_shares(visits: np.ndarray, run_lengths: Sequence[int]) -> np.ndarray:
    """The weight ``[T, N]`` of each epoch in a sample's mean logits; columns sum to 1, NaN if never visited.

    Within a run all epochs that visited the sample weigh the same (in a clean pass a second visit says
    nothing new), and all runs that visited it weigh the same.

    Args:
        visits: ``[T, N]``, runs one after another.
        run_lengths: the epochs of each run; they sum to T.
    """
    shares = []
    for run in np.split(visits > 0, np.cumsum(run_lengths)[:-1]):
        shares.append(run / np.maximum(run.sum(0), 1))
    of_all = np.concatenate(shares)
    total = of_all.sum(0)
    return np.divide(of_all, total, out=np.full_like(of_all, np.nan), where=total > 0)


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(array, dtype=np.float32))
