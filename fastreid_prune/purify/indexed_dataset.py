"""A data set whose items say which sample they are, with injected errors where there are some."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.purify.injecting import InjectedLabels
from fastreid_prune.purify.synthetic_outliers import compose

SAMPLE_INDEX = "sample_index"


class IndexedDataset:
    """Items of ``dataset`` with their index: ``(index, input, ..., label)``, or a dictionary with ``sample_index``.

    Args:
        dataset: indexable, with items that are ``(input, ..., label)`` or dictionaries with ``label`` or ``labels``.
        injected: labels to train with instead of the data set's, from :func:`.inject_label_noise`. Where it has
            synthetic outliers, they follow as items N to N + K - 1, made from the inputs of two items, which then have
            to be images without a transform: PIL images or ``[H, W, 3]`` uint8.
        transform: of inputs, after outliers are composed; items that are dictionaries take none.

    Raises:
        FastreidPruneError: other labels than the data set has items, or outliers of what is no image.

    >>> IndexedDataset([("a", 0), ("b", 1)])[1]
    (1, 'b', 1)
    """

    def __init__(
        self,
        dataset: Any,
        injected: InjectedLabels | None = None,
        transform: Callable[[Any], Any] | None = None,
    ) -> None:
        if injected is not None and len(injected) != len(dataset):
            raise FastreidPruneError(
                f"injected: {len(injected)} labels, and the data set has {len(dataset)} items. Give "
                "inject_label_noise the labels of this data set."
            )
        self.dataset, self.injected, self.transform = dataset, injected, transform

    def __len__(self) -> int:
        return len(self.dataset) + (0 if self.injected is None else len(self.injected.outliers))

    def __getitem__(self, index: int) -> Any:
        count = len(self.dataset)
        index = int(index)
        if not 0 <= index < len(self):
            raise IndexError(f"item {index} of {len(self)}")
        if index >= count:
            return self._outlier(index)
        item = self.dataset[index]
        label = None if self.injected is None else _plain(self.injected.labels[index])
        if isinstance(item, Mapping):
            return {**(item if label is None else with_label(item, label)), SAMPLE_INDEX: index}
        first, *rest = item if label is None else with_label(item, label)
        return (index, first if self.transform is None else self.transform(first), *rest)

    def _outlier(self, index: int) -> tuple:
        injected = self.injected
        assert injected is not None
        one = injected.outliers[index - len(self.dataset)]
        item, other = self.dataset[one.first], self.dataset[one.second]
        if isinstance(item, Mapping):
            raise FastreidPruneError(
                "outliers: items that are dictionaries are not composed. Use outliers=0."
            )
        made = compose(one.kind, _image(item[0]), _image(other[0]), np.random.default_rng(one.seed))
        image = made if isinstance(item[0], np.ndarray) else type_of_image(made)
        label = _plain(injected.outlier_labels[index - len(self.dataset)])
        first, *rest = with_label((image, *item[1:]), label)
        return (index, first if self.transform is None else self.transform(first), *rest)


def with_label(item: Any, label: Any) -> Any:
    """The item of a data set with another label: the last of a tuple, or ``label`` or ``labels`` of a dictionary."""
    if isinstance(item, Mapping):
        key = next((name for name in ("labels", "label") if name in item), None)
        if key is None:
            raise FastreidPruneError(f"item: keys {', '.join(item)} found, label or labels expected.")
        return {**item, key: label}
    return (*item[:-1], label)


def type_of_image(pixels: np.ndarray) -> Any:
    """A PIL image of ``[H, W, 3]`` uint8."""
    from PIL import Image

    return Image.fromarray(pixels)


def _image(value: Any) -> np.ndarray:
    if hasattr(value, "convert"):
        return np.asarray(value.convert("RGB"))
    if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim == 3 and value.shape[2] == 3:
        return value
    raise FastreidPruneError(
        f"outliers: composed of images, PIL or [H, W, 3] uint8, before any transform; found {type(value).__name__}. "
        "Give the transform to IndexedDataset instead of the data set, or inject no outliers."
    )


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
