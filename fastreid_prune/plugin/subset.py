"""Training on some rows of the training set: fastreid's samplers over what is kept, row numbers as they were."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from fastreid.data import build
from fastreid.data.common import CommDataset
from torch.utils.data import Sampler
from yacs.config import CfgNode

from fastreid_prune.plugin.items import Item
from fastreid_prune.plugin.seeding import EpochSampler


class KeptSampler(Sampler):
    """The rows that an endless sampler of fastreid's draws; it knows the kept items alone, numbered from 0."""

    def __init__(self, endless: Any, rows: np.ndarray) -> None:
        self.endless, self.rows = endless, rows

    @property
    def _seed(self) -> int:
        return self.endless._seed

    @_seed.setter
    def _seed(self, seed: int) -> None:
        self.endless._seed = seed

    def __iter__(self) -> Iterator[int]:
        for position in self.endless:
            yield int(self.rows[position])


def sampler_of(cfg: CfgNode, items: Sequence[Item]) -> Any:
    """The sampler that ``DATALOADER`` asks for, of these items, as fastreid builds it.

    Raises:
        FastreidPruneError: it could never fill a batch with them.
    """
    return build._train_loader_from_config(cfg, train_set=CommDataset(list(items), None, relabel=False))[
        "sampler"
    ]


def train_on(trainer: Any, rows: np.ndarray) -> None:
    """Have the trainer go on with these rows: its sampler, its loader, its iterations an epoch.

    Args:
        trainer: fastreid's, between two epochs.
        rows: ``[K]`` int64, ascending.

    Raises:
        FastreidPruneError: the sampler could never fill a batch with them; nothing is changed then.
    """
    cfg, loader = trainer.cfg, trainer.data_loader
    items = loader.dataset.img_items
    kept = KeptSampler(sampler_of(cfg, [items[row] for row in rows]), rows)
    iterations = len(rows) // cfg.SOLVER.IMS_PER_BATCH
    batches = loader.batch_sampler
    loader.shutdown()
    if cfg.PRUNE.SEED >= 0:
        # the seeding hook starts the loader with the epoch
        batches.sampler = EpochSampler(kept, iterations * batches.batch_size, cfg.PRUNE.SEED)
    else:
        batches.sampler = kept
        trainer._trainer._data_loader_iter = iter(loader)
    trainer.iters_per_epoch = iterations
