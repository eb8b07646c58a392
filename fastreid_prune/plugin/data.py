"""fastreid's data loaders, with the samples known by name, and trained on by manifest."""

import contextlib
import copy
import logging
import os
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin.items import apply_manifest, relative_name
from fastreid_prune.plugin.seeding import EpochSampler
from fastreid_prune.trajectory.samples import Samples

logger = logging.getLogger("fastreid.prune")


def build_train_loader(original, cfg, **kwargs):
    """``build_reid_train_loader(cfg, …)`` as the keys under ``PRUNE`` ask for it.

    Args:
        original: fastreid's function.
        kwargs: as for fastreid's; ``train_set`` where a trainer builds its own.

    Raises:
        FastreidPruneError: no data set at the path, or the manifest does not fit it.
    """
    from fastreid_prune.plugin.trainer import is_building_hooks

    if not _concerned(cfg):
        with _saying_where_data_sets_are(", ".join(cfg.DATASETS.NAMES)):
            return original(cfg, **kwargs)
    if kwargs.get("train_set") is None:
        kwargs = {
            "train_set": _load_train_set(cfg, kwargs),
            **{k: v for k, v in kwargs.items() if k == "sampler"},
        }
    train_set = kwargs["train_set"]
    # A precise-BN loader on another data set is none of the manifest's business.
    names_match = not is_building_hooks() or tuple(cfg.DATASETS.NAMES) == tuple(_training_names(cfg))
    if cfg.PRUNE.MANIFEST and names_match:
        train_set = with_items(
            train_set, apply_manifest(cfg.PRUNE.MANIFEST, train_set.img_items, data_root())
        )
    if cfg.PRUNE.CAPTURE.ENABLED:
        class_numbers(train_set)
    unreadable: list[dict[str, str]] = []
    if cfg.PRUNE.CAPTURE.ENABLED and cfg.PRUNE.CAPTURE.CHECK_IMAGES and not is_building_hooks():
        from fastreid_prune.plugin.images import drop_unreadable

        readable, unreadable = drop_unreadable(train_set.img_items, data_root())
        train_set = with_items(train_set, readable) if unreadable else train_set
    if cfg.PRUNE.CAPTURE.ENABLED and cfg.PRUNE.PURIFY.CALIBRATE and not is_building_hooks():
        from fastreid_prune.plugin.calibration import planted

        purify = cfg.PRUNE.PURIFY
        train_set = planted(
            train_set,
            data_root(),
            switched=purify.SWITCHED,
            composed=purify.COMPOSED,
            clips=purify.CLIPS,
        )
    _check_length(cfg, train_set)
    kwargs["train_set"] = IndexedDataset(train_set, unreadable)
    loader = original(cfg, **kwargs)
    if cfg.PRUNE.SEED >= 0 and not is_building_hooks():
        iterations = len(train_set) // cfg.SOLVER.IMS_PER_BATCH
        batches = loader.batch_sampler
        batches.sampler = EpochSampler(batches.sampler, iterations * batches.batch_size, cfg.PRUNE.SEED)
    return loader


def build_test_loader(original, cfg, *args, **kwargs):
    """``build_reid_test_loader(cfg, …)`` with an error that says where the data set was looked for."""
    with _saying_where_data_sets_are(kwargs.get("dataset_name") or (args[0] if args else "")):
        return original(cfg, *args, **kwargs)


class IndexedDataset(Dataset):
    """A training set whose samples tell their row (``sample_index``); in all else the data set that it wraps."""

    def __init__(self, dataset: Dataset, unreadable: list[dict[str, str]]):
        self.dataset = dataset
        self.unreadable = unreadable

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {**self.dataset[index], "sample_index": int(index)}

    def __getattr__(self, name: str) -> Any:
        # Called only for what this class has not; "dataset" itself is missing while a copy is being unpickled.
        if name == "dataset":
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def with_test_transforms(self, cfg) -> "IndexedDataset":
        """The same samples as the model sees them in evaluation: resized, nothing random."""
        from fastreid.data.transforms import build_transforms

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


def class_numbers(dataset: Dataset) -> dict[Any, int]:
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


def data_root() -> str:
    """The folder that holds the data sets: ``FASTREID_DATASETS`` as fastreid read it."""
    from fastreid.data import build

    return build._root


def with_items(dataset: Dataset, items: list[tuple]) -> Dataset:
    """A data set like ``dataset`` with these items. fastreid's own numbers its classes anew; others keep theirs."""
    from fastreid.data.common import CommDataset

    if type(dataset) is CommDataset:
        return CommDataset(items, dataset.transform, dataset.relabel)
    changed = copy.copy(dataset)
    changed.img_items = items
    return changed


@contextlib.contextmanager
def _saying_where_data_sets_are(name: str) -> Iterator[None]:
    """Inside the block a data set that is not there, or not as its reader expects it, is an error that says so."""
    try:
        yield
    except (RuntimeError, AssertionError, OSError) as error:
        folder = os.path.abspath(data_root())
        # A data set's reader says `"path" is not found`, or stumbles over a file that it needs.
        if name and (isinstance(error, OSError) or "not found" in str(error)):
            raise FastreidPruneError(
                f"{name}: no such data set in {folder} ({error}). Set the environment variable FASTREID_DATASETS to "
                "the folder that holds it."
            ) from error
        place = traceback.extract_tb(error.__traceback__)[-1]
        if name and place.line == "assert size > 0":
            raise FastreidPruneError(
                f"{name}: no query and no gallery image in {folder}. Put the data set there, or leave {name} out of "
                "DATASETS.TESTS."
            ) from error
        if name and isinstance(error, AssertionError) and Path(place.filename).parent.name == "datasets":
            raise FastreidPruneError(
                f"{name}: the data set in {folder} is not what fastreid's reader expects: `{place.line}` does not hold "
                f"({place.filename}, line {place.lineno}). Name its files as that data set does, or register a reader."
            ) from error
        raise


def _concerned(cfg) -> bool:
    return cfg.PRUNE.CAPTURE.ENABLED or bool(cfg.PRUNE.MANIFEST) or cfg.PRUNE.SEED >= 0


def _training_names(cfg) -> tuple[str, ...]:
    from fastreid_prune.plugin.trainer import training_names

    return training_names() or tuple(cfg.DATASETS.NAMES)


def _load_train_set(cfg, kwargs: dict[str, Any]) -> Dataset:
    from fastreid.data.common import CommDataset
    from fastreid.data.datasets import DATASET_REGISTRY
    from fastreid.data.transforms import build_transforms
    from fastreid.utils import comm

    kwargs = {
        key: value for key, value in kwargs.items() if key not in ("train_set", "sampler", "transforms")
    }
    items: list[tuple] = []
    for name in cfg.DATASETS.NAMES:
        with _saying_where_data_sets_are(name):
            data = DATASET_REGISTRY.get(name)(root=data_root(), **kwargs)
        # Folders are listed in no particular order: sort, so that every machine numbers the samples alike.
        train = sorted(data.train, key=lambda item: relative_name(item[0], data_root()))
        if not train:
            raise FastreidPruneError(
                f"{name}: no training image in {os.path.abspath(data_root())}. Its folders are there, but hold no file "
                "that the data set's reader takes."
            )
        if comm.is_main_process():
            data.show_train()
        items.extend(train)
    return CommDataset(items, build_transforms(cfg, is_train=True), relabel=True)


def _check_length(cfg, train_set: Dataset) -> None:
    if len(train_set) < cfg.SOLVER.IMS_PER_BATCH:
        raise FastreidPruneError(
            f"The training set has {len(train_set)} images, fewer than one batch (SOLVER.IMS_PER_BATCH "
            f"{cfg.SOLVER.IMS_PER_BATCH}): nothing would be trained. Choose a smaller batch or prune less."
        )
