"""A training set whose samples are known by their row."""

import copy
from typing import Any

import numpy as np
from fastreid.data.common import CommDataset
from fastreid.data.transforms import build_transforms
from torch.utils.data import Dataset
from yacs.config import CfgNode

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin.items import Item, relative_name
from fastreid_prune.plugin.reading import data_root
from fastreid_prune.plugin.seeding import seed_worker_for
from fastreid_prune.trajectory.samples import Samples


class IndexedDataset(Dataset):
    """A training set whose samples tell their row (``sample_index``); in all else the data set that it wraps."""

    def __init__(self, dataset: Any, unreadable: list[dict[str, str]]):
        self.dataset = dataset
        self.unreadable = unreadable

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> dict[str, Any]:
        seed_worker_for(index)
        return {**self.dataset[int(index)], "sample_index": int(index)}

    def __getattr__(self, name: str) -> Any:
        # Called only for what this class has not; "dataset" itself is missing while a copy is being unpickled.
        if name == "dataset":
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def with_test_transforms(self, cfg: CfgNode) -> "IndexedDataset":
        """The same samples as the model sees them in evaluation: resized, nothing random."""
        clean = copy.copy(self.dataset)
        clean.transform = build_transforms(cfg, is_train=False)
        return IndexedDataset(clean, self.unreadable)

    def samples(self) -> Samples:
        """The table of samples, row by row as the loader numbers them."""
        classes = class_numbers(self.dataset)
        items = self.dataset.img_items
        samples = Samples.from_items(
            [relative_name(item[0], data_root()) for item in items],
            [str(item[1]) for item in items],
            [str(item[2]) if len(item) > 2 else "" for item in items],
        )
        if not np.array_equal(samples.label, [classes[item[1]] for item in items]):
            raise FastreidPruneError(
                f"PRUNE.CAPTURE: the training set {type(self.dataset).__name__} numbers its classes in another order "
                "than fastreid's, which is the string order of the identities."
            )
        return samples


def class_numbers(dataset: Any) -> dict[Any, int]:
    """Identity -> class of a training set.

    Raises:
        FastreidPruneError: it does not tell, as a set of attributes does not.
    """
    classes = getattr(dataset, "pid_dict", None) or getattr(dataset, "class_to_idx", None)
    if classes is None:
        raise FastreidPruneError(
            f"PRUNE.CAPTURE: the training set {type(dataset).__name__} has neither `pid_dict` nor `class_to_idx`, so "
            "the classes of its samples are not known. Give it one of them: identity -> class."
        )
    return classes


def with_items(dataset: Any, items: list[Item]) -> Any:
    """A data set like ``dataset`` with these items. fastreid's own numbers its classes anew; others keep theirs."""
    if type(dataset) is CommDataset:
        return CommDataset(items, dataset.transform, dataset.relabel)
    changed = copy.copy(dataset)
    changed.img_items = items
    return changed
