"""The hook that starts every epoch from the seed."""

import random

import torch
from fastreid.engine.train_loop import HookBase
from fastreid.utils import comm

from fastreid_prune.plugin.seeding import EpochSampler, derived_seed, seed_everything


class SeedingHook(HookBase):
    """Makes each epoch a function of (seed, epoch): what is drawn, how it is augmented, what the model draws itself.

    Loading workers go on from epoch to epoch where they can: their rows carry their own seeds. The loader is started
    anew at the first epoch, after the sampler or the epochs' length was changed, and, without workers, always: then the
    training process augments, with the generators that the model draws from.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._running: tuple[EpochSampler, int] | None = None

    def before_epoch(self) -> None:
        """Seed the epoch, and have the loader stand at its beginning."""
        inner, epoch = self.trainer._trainer, self.trainer.epoch
        loader = inner.data_loader
        sampler = loader.batch_sampler.sampler
        if not isinstance(sampler, EpochSampler):
            seed_everything(self.seed, epoch)
            return
        keeps_step = sampler.length == self.trainer.iters_per_epoch * loader.batch_sampler.batch_size
        if loader.num_workers > 0 and keeps_step and self._running == (sampler, epoch):
            # numpy's generator is the loading thread's: fastreid's samplers draw from it, ahead of the training
            seed = derived_seed(self.seed, epoch + 1, comm.get_rank())
            random.seed(seed)
            torch.manual_seed(seed)
        else:
            # the loading thread draws from numpy's global generator: stop the old one before that is seeded
            loader.shutdown()
            seed_everything(self.seed, epoch)
            sampler.epoch = epoch
            inner._data_loader_iter = iter(loader)
        self._running = (sampler, epoch + 1)
