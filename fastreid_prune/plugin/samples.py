"""The training samples of fastreid's data sets on disk, for tools that match names against them."""

import os
from collections.abc import Sequence
from pathlib import Path

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin.items import relative_name
from fastreid_prune.trajectory import Samples


def training_samples(names: Sequence[str], root: str | os.PathLike) -> Samples:
    """The training samples of data sets, sorted by name within each as in a scored run.

    Args:
        names: as fastreid registers them, such as ``Market1501``.
        root: the folder that holds the data sets.

    Raises:
        FastreidPruneError: fastreid has no such data set, or there is none in the folder.
    """
    import fastreid_prune

    fastreid_prune.register()
    from fastreid.data.datasets import DATASET_REGISTRY

    items: list[tuple] = []
    for name in names:
        try:
            reader = DATASET_REGISTRY.get(name)
        except KeyError:
            known = ", ".join(sorted(key for key, _ in DATASET_REGISTRY))
            raise FastreidPruneError(
                f"{ascii(name)}: fastreid knows no such data set. Name one with --dataset: {known}."
            ) from None
        try:
            train = reader(root=str(root)).train
        except (RuntimeError, AssertionError, OSError) as error:
            raise FastreidPruneError(
                f"{name}: no such data set in {Path(root).absolute()} ({error}). Give the folder that holds it."
            ) from error
        items += sorted(train, key=lambda item: relative_name(item[0], str(root)))
    return Samples.from_items(
        [relative_name(item[0], str(root)) for item in items],
        [str(item[1]) for item in items],
        [str(item[2]) for item in items],
    )
