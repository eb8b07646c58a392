"""The training samples of fastreid's data sets on disk, for tools that match names against them."""

import os
from collections.abc import Sequence

from fastreid_prune.plugin import register
from fastreid_prune.plugin.items import Item, relative_name
from fastreid_prune.trajectory import Samples


def training_samples(names: Sequence[str], root: str | os.PathLike) -> Samples:
    """The training samples of data sets, sorted by name within each as in a scored run.

    Args:
        names: as fastreid registers them, such as ``Market1501``.
        root: the folder that holds the data sets.

    Raises:
        FastreidPruneError: fastreid has no such data set, or there is none in the folder.
    """
    register()
    # fastreid can be imported only now
    from fastreid_prune.plugin.on_disk import register_names
    from fastreid_prune.plugin.reading import read_dataset, sorted_train

    register_names(names)

    folder = str(root)
    items: list[Item] = []
    for name in names:
        items += sorted_train(read_dataset(name, folder, "--dataset"), name, folder)
    return Samples.from_items(
        [relative_name(item[0], folder) for item in items],
        [str(item[1]) for item in items],
        [str(item[2]) if len(item) > 2 else "" for item in items],
    )
