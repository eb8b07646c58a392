"""The hook that starts every epoch from the seed."""

from fastreid.engine.train_loop import HookBase

from fastreid_prune.plugin.seeding import EpochSampler, seed_everything


class SeedingHook(HookBase):
    """Seeds the generators and starts the train loader anew at each epoch, as a function of (seed, epoch)."""

    def __init__(self, seed: int):
        self.seed = seed

    def before_epoch(self) -> None:
        """Point the sampler to this epoch and start loading it."""
        inner = self.trainer._trainer
        epoch = self.trainer.epoch
        sampler = inner.data_loader.batch_sampler.sampler
        if not isinstance(sampler, EpochSampler):
            seed_everything(self.seed, epoch)
            return
        # The loading thread draws from numpy's global generator: stop the old one before that is seeded.
        inner.data_loader.shutdown()
        seed_everything(self.seed, epoch)
        sampler.epoch = epoch
        inner._data_loader_iter = iter(inner.data_loader)
