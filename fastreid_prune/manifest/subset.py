"""What a manifest keeps, as indices and as a data set for a training loop."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastreid_prune.errors import FastreidPruneError


class RelabelledSubset:
    """The items of ``dataset`` at ``indices``, under ``targets``. A loader takes it as any indexable data set.

    Attributes:
        dataset: with items that are ``(..., label)`` or dictionaries with ``label`` or ``labels``.
        indices: [K] int64, sorted.
        targets: [K] int64, the class numbers to train with.

    >>> RelabelledSubset([("a", 0), ("b", 1), ("c", 1)], np.array([0, 2]), np.array([0, 2]))[1]
    ('c', 2)
    """

    def __init__(self, dataset: Any, indices: np.ndarray, targets: np.ndarray) -> None:
        self.dataset, self.indices, self.targets = dataset, indices, targets

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        item, label = self.dataset[int(self.indices[index])], int(self.targets[index])
        if isinstance(item, Mapping):
            key = next((name for name in ("labels", "label") if name in item), None)
            if key is None:
                raise FastreidPruneError(f"item: keys {', '.join(item)} found, label or labels expected.")
            return {**item, key: label}
        return (*item[:-1], label)


def class_numbers(pids: np.ndarray, class_names: tuple[str, ...]) -> np.ndarray:
    """[K] int64, the class number of each identity.

    Raises:
        FastreidPruneError: identities that are none of the classes.
    """
    number = {name: place for place, name in enumerate(class_names)}
    unknown = sorted(set(pids.tolist()) - set(number))
    if unknown:
        raise FastreidPruneError(
            f"manifest: trains with {unknown[0]!r} and {len(unknown) - 1} more identities that are none of the "
            f"{len(class_names)} classes. Give samples that name all classes."
        )
    return np.array([number[pid] for pid in pids.tolist()], np.int64)
