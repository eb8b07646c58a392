"""Runs that can be repeated, and resumed in the middle."""

import itertools
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from fastreid.utils import comm
from fastreid.utils.env import seed_all_rng
from torch.utils.data import Sampler, get_worker_info


def seed_everything(seed: int, epoch: int = -1) -> None:
    """Seed Python's, numpy's and torch's generators with a function of (seed, epoch, rank).

    ``epoch`` -1 stands for what comes before the first epoch: the initial weights, which fastreid makes equal on all
    ranks by copying those of rank 0.
    """
    seed_all_rng(derived_seed(seed, epoch + 1, 0 if epoch < 0 else comm.get_rank()))


def derived_seed(*numbers: int) -> int:
    """A 31-bit seed from several non-negative integers; close numbers give unrelated seeds."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0] >> 1)


class SeededRow(int):
    """A row of the training set together with the seed of its augmentation."""

    seed: int

    def __new__(cls, row: int, seed: int) -> "SeededRow":
        """``row`` as an integer that carries ``seed``."""
        self = super().__new__(cls, row)
        self.seed = seed
        return self

    def __reduce__(self) -> tuple[type, tuple[int, int]]:
        return SeededRow, (int(self), self.seed)


def seed_worker_for(row: int) -> None:
    """In a loading worker, seed the generators for the augmentation of ``row``, if it says how.

    The training process is left alone: there the model draws from the same generators.
    """
    if isinstance(row, SeededRow) and get_worker_info() is not None:
        random.seed(row.seed)
        np.random.seed(row.seed)
        torch.default_generator.manual_seed(row.seed)


class EpochSampler(Sampler):
    """An endless sampler of fastreid's whose epochs are each a function of (seed, epoch), from ``epoch`` on.

    fastreid's samplers are one endless stream, which a resumed run would start again from its beginning. Here it goes
    on from epoch to epoch, so that loading workers need not be started anew, and each row carries the seed of its
    augmentation.

    Attributes:
        epoch: the one that the next iterator begins with.
    """

    def __init__(self, endless: Any, length: int, seed: int) -> None:
        """Wrap ``endless``, whose attribute ``_seed`` starts its stream, to give ``length`` indices an epoch."""
        self.endless = endless
        self.length = length
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[SeededRow]:
        rank = comm.get_rank()
        for epoch in itertools.count(self.epoch):
            self.endless._seed = derived_seed(self.seed, epoch + 1)
            stream = iter(self.endless)
            for position in range(self.length):
                yield SeededRow(next(stream), derived_seed(self.seed, epoch + 1, rank, position))
