"""Runs that can be repeated, and resumed in the middle."""

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler


def seed_everything(seed: int, epoch: int = -1) -> None:
    """Seed Python's, numpy's and torch's generators with a function of (seed, epoch, rank).

    ``epoch`` -1 stands for what comes before the first epoch: the initial weights, which fastreid makes equal on all
    ranks by copying those of rank 0.
    """
    from fastreid.utils import comm
    from fastreid.utils.env import seed_all_rng

    seed_all_rng(derived_seed(seed, epoch + 1, 0 if epoch < 0 else comm.get_rank()))


def derived_seed(*numbers: int) -> int:
    """A 31-bit seed from several non-negative integers; close numbers give unrelated seeds."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0] >> 1)


class EpochSampler(Sampler):
    """One epoch of an endless sampler of fastreid's, the epoch's order being a function of (seed, epoch).

    fastreid's samplers are one endless stream, which a resumed run would start again from its beginning.
    """

    def __init__(self, endless: Sampler, length: int, seed: int):
        """Wrap ``endless``, whose attribute ``_seed`` starts its stream, to give ``length`` indices an epoch."""
        self.endless = endless
        self.length = length
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[int]:
        self.endless._seed = derived_seed(self.seed, self.epoch + 1)
        stream = iter(self.endless)
        for _ in range(self.length):
            yield next(stream)
