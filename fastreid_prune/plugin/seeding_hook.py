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
        seed_everything(self.seed, epoch)
        sampler = inner.data_loader.batch_sampler.sampler
        if isinstance(sampler, EpochSampler):
            if epoch != sampler.epoch:
                sampler.epoch = epoch
                inner.data_loader.shutdown()
                inner._data_loader_iter = iter(inner.data_loader)
