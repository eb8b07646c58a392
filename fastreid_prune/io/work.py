"""Long work in steps and blocks: what is done is kept for the case of a kill, and blocks may be handed to others."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.files import written_whole

logger = logging.getLogger("fastreid.prune")

Arrays = tuple[np.ndarray, ...]


class Pool(Protocol):
    """What blocks can be handed to."""

    def map(
        self, function: Callable[..., Arrays], common: tuple[Any, ...], blocks: Sequence[Any]
    ) -> Iterator[Arrays]:
        """``function(*common, block)`` of all blocks, in their order."""


@dataclass(frozen=True)
class Work:
    """How long work is done: here, or by a pool; kept in a folder, or not.

    Attributes:
        folder: of what is done, which belongs to one input; None keeps nothing.
        pool: gets the blocks; None does them here. It is the same blocks either way, and so the same results.
    """

    folder: Path | None = None
    pool: Pool | None = None

    def step(self, name: str, make: Callable[[], Arrays]) -> Arrays:
        """What ``make`` gives, or gave before a kill. Steps have names unlike any other; "" keeps nothing.

        >>> Work().step("one", lambda: (np.arange(2),))
        (array([0, 1]),)
        """
        path = self._path(name)
        if path is None:
            return make()
        return _read(path) if path.is_file() else _written(path, make())

    def blocks(
        self, name: str, function: Callable[..., Arrays], common: tuple[Any, ...], blocks: Sequence[Any]
    ) -> Iterator[Arrays]:
        """``function(*common, block)`` of all blocks, in their order; those done before a kill are read.

        Args:
            name: of the step, unlike any other; "" keeps nothing.
            function: of a module, not changing anything.
            common: the same for all blocks; handed over once.
            blocks: small each.
        """
        paths = [self._path(name and f"{name}-{number}") for number in range(len(blocks))]
        left = [
            block for block, path in zip(blocks, paths, strict=True) if path is None or not path.is_file()
        ]
        done = (
            (function(*common, block) for block in left)
            if self.pool is None or len(left) < 2
            else self.pool.map(function, common, left)
        )
        for path in paths:
            if path is None:
                yield next(done)
            else:
                yield _read(path) if path.is_file() else _written(path, next(done))

    def _path(self, name: str) -> Path | None:
        return self.folder / f"{name}.npz" if self.folder is not None and name else None


def _read(path: Path) -> Arrays:
    with np.load(path, allow_pickle=False) as kept:
        return tuple(kept[f"arr_{number}"] for number in range(len(kept.files)))


def _written(path: Path, arrays: Arrays) -> Arrays:
    try:
        with written_whole(path) as part, open(part, "wb") as file:
            np.savez(file, *arrays)
    except FastreidPruneError as error:
        logger.warning(f"Done, but not kept for the case of a kill: {error}")
    return arrays
