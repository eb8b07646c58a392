"""Samples from what a training loop has: class numbers, class names, paths, or a data set that knows its labels."""

import os
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.trajectory.samples import Samples

_IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".ppm")
_LABEL_COLUMNS = ("label", "labels", "fine_label", "target")


def samples_of(source: Any) -> Samples:
    """Who the samples are and how they are labelled, in the order of the data set's indices.

    Args:
        source: one of

            - :class:`.Samples`;
            - the labels ``[N]``: class numbers, or class names (a list, an array or a tensor);
            - the images' paths ``[N]``: each one's folder is its class;
            - a data set of torchvision's (``ImageFolder``, ``CIFAR10`` and the like), of Hugging Face's ``datasets``
              with a column ``label`` or ``labels``, or a ``Subset`` of one.

    Returns:
        Samples. Where the source says which class has which number (``classes``, ``ClassLabel``, class numbers), that
        is the order of the classes; where it only has names, the order is that of the labels that a loop records.

    Raises:
        FastreidPruneError: a source that tells no labels.

    >>> samples_of([2, 0, 2]).pid.tolist(), samples_of([2, 0, 2]).file_name.tolist()
    (['2', '0', '2'], ['000000', '000001', '000002'])
    >>> samples_of(["img/cat/1.png", "img/dog/1.png"]).pid.tolist()
    ['cat', 'dog']
    """
    if isinstance(source, Samples):
        return source
    if hasattr(source, "dataset") and hasattr(source, "indices"):
        return samples_of(source.dataset).take(np.asarray(source.indices))
    if hasattr(source, "samples") and hasattr(source, "classes"):
        return _image_folder(source)
    if hasattr(source, "features") and hasattr(source, "column_names"):
        return _hugging_face(source)
    if hasattr(source, "targets"):
        return from_labels(source.targets, class_names=getattr(source, "classes", None))
    if hasattr(source, "dataset"):
        return samples_of(source.dataset)
    if isinstance(source, (Sequence, np.ndarray)) or hasattr(source, "tolist"):
        values = source.tolist() if hasattr(source, "tolist") else list(source)
        if values and all(_is_path(value) for value in values):
            return from_paths(values)
        return from_labels(values)
    raise FastreidPruneError(
        f"samples: a {type(source).__name__} tells no labels. Give the labels [N] in the order of the data set's "
        "indices, as class numbers or names, or Samples.from_items(names, labels)."
    )


def from_labels(
    labels: Any, file_names: Sequence[str] | None = None, class_names: Sequence[str] | None = None
) -> Samples:
    """Samples from their labels.

    Args:
        labels: ``[N]``, class numbers or class names.
        file_names: ``[N]``; by default the samples' numbers, with zeros before.
        class_names: ``[C]``, the name of each class number.

    Raises:
        FastreidPruneError: labels that are neither, or class numbers without a name.
    """
    values = labels.tolist() if hasattr(labels, "tolist") else list(labels)
    names = [f"{row:06d}" for row in range(len(values))] if file_names is None else list(file_names)
    if all(isinstance(value, (int, np.integer)) and not isinstance(value, bool) for value in values):
        numbers = [int(value) for value in values]
        count = max(numbers, default=-1) + 1
        given = [str(k) for k in range(count)] if class_names is None else [str(name) for name in class_names]
        if numbers and (min(numbers) < 0 or count > len(given)):
            raise FastreidPruneError(
                f"labels: class numbers from {min(numbers)} to {count - 1} found, 0 to {len(given) - 1} expected."
            )
        return Samples.from_items(names, [given[number] for number in numbers], class_names=given)
    if all(isinstance(value, str) for value in values):
        return Samples.from_items(names, values, class_names=class_names)
    strange = next(value for value in values if not isinstance(value, (int, np.integer, str)))
    raise FastreidPruneError(
        f"labels: {strange!r} ({type(strange).__name__}) found, class numbers or class names expected."
    )


def from_paths(paths: Sequence[str | os.PathLike[str]]) -> Samples:
    """Samples from the paths of images in one folder a class; names are relative to the folder of all."""
    parts = [Path(path) for path in paths]
    root = Path(os.path.commonpath([path.parent.parent for path in parts]))
    names = [path.relative_to(root).as_posix() for path in parts]
    return Samples.from_items(names, [path.parent.name for path in parts])


def _image_folder(source: Any) -> Samples:
    paths, numbers = zip(*source.samples, strict=True) if len(source.samples) else ((), ())
    root = Path(source.root) if getattr(source, "root", None) is not None else Path(os.path.commonpath(paths))
    names = [Path(os.path.relpath(path, root)).as_posix() for path in paths]
    return from_labels(list(numbers), names, source.classes)


def _hugging_face(source: Any) -> Samples:
    column = next((name for name in _LABEL_COLUMNS if name in source.column_names), None)
    if column is None:
        raise FastreidPruneError(
            f"samples: the data set has the columns {', '.join(source.column_names)}, none of "
            f"{', '.join(_LABEL_COLUMNS)}. Give the labels themselves."
        )
    return from_labels(list(source[column]), class_names=getattr(source.features[column], "names", None))


def _is_path(value: Any) -> bool:
    return isinstance(value, PurePath) or (isinstance(value, str) and value.lower().endswith(_IMAGES))
