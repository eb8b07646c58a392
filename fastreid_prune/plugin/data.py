"""fastreid's data loaders, with the samples known by name, and trained on by manifest."""

import logging
from typing import Any

from fastreid.data.common import CommDataset
from fastreid.data.transforms import build_transforms
from fastreid.utils import comm
from yacs.config import CfgNode

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin.calibration import planted
from fastreid_prune.plugin.checks import check_length
from fastreid_prune.plugin.images import drop_unreadable
from fastreid_prune.plugin.indexed import IndexedDataset, class_numbers, with_items
from fastreid_prune.plugin.items import Item, apply_manifest
from fastreid_prune.plugin.on_disk import register_paths
from fastreid_prune.plugin.reading import (
    data_root,
    explaining_reader,
    find_reader,
    read_dataset,
    sorted_train,
)
from fastreid_prune.plugin.seeding import EpochSampler

logger = logging.getLogger("fastreid.prune")


def build_train_loader(original: Any, cfg: CfgNode, **kwargs: Any) -> Any:
    """``build_reid_train_loader(cfg, …)`` as the keys under ``PRUNE`` ask for it.

    Args:
        original: fastreid's function.
        kwargs: as for fastreid's; ``train_set`` where a trainer builds its own.

    Raises:
        FastreidPruneError: no data set at the path, or the manifest does not fit it.
    """
    register_paths(cfg)
    prune = cfg.PRUNE
    if prune.IN_RUN.ENABLED and kwargs.get("sampler") is not None:
        raise FastreidPruneError(
            f"PRUNE.IN_RUN.ENABLED: the trainer brings a sampler of its own ({type(kwargs['sampler']).__name__}), "
            "which cannot be told what is kept. Name one of fastreid's in DATALOADER.SAMPLER_TRAIN."
        )
    if not (prune.CAPTURE.ENABLED or prune.MANIFEST or prune.SEED >= 0):
        return _original_train_loader(original, cfg, kwargs)
    train_set = kwargs.get("train_set")
    if train_set is None:
        train_set = _load_train_set(cfg, kwargs)
        kwargs = {key: value for key, value in kwargs.items() if key == "sampler"}
    if prune.MANIFEST:
        train_set = with_items(train_set, apply_manifest(prune.MANIFEST, train_set.img_items, data_root()))
    unreadable: list[dict[str, str]] = []
    if prune.CAPTURE.ENABLED:
        class_numbers(train_set)
        if prune.CAPTURE.CHECK_IMAGES:
            readable, unreadable = drop_unreadable(train_set.img_items, data_root())
            train_set = with_items(train_set, readable) if unreadable else train_set
        if prune.PURIFY.CALIBRATE:
            purify = prune.PURIFY
            train_set = planted(
                train_set, data_root(), switched=purify.SWITCHED, composed=purify.COMPOSED, clips=purify.CLIPS
            )
    check_length(cfg, len(train_set))
    loader = original(cfg, **{**kwargs, "train_set": IndexedDataset(train_set, unreadable)})
    if prune.SEED >= 0:
        iterations = len(train_set) // cfg.SOLVER.IMS_PER_BATCH
        batches = loader.batch_sampler
        batches.sampler = EpochSampler(batches.sampler, iterations * batches.batch_size, prune.SEED)
    return loader


def build_test_loader(original: Any, cfg: CfgNode, *args: Any, **kwargs: Any) -> Any:
    """``build_reid_test_loader(cfg, …)`` with an error that says where the data set was looked for."""
    register_paths(cfg)
    name = kwargs.get("dataset_name") or (args[0] if args else "")
    if not name or kwargs.get("test_set") is not None:
        return original(cfg, *args, **kwargs)
    find_reader(name, "DATASETS.TESTS")
    with explaining_reader(name, data_root()):
        return original(cfg, *args, **kwargs)


def _original_train_loader(original: Any, cfg: CfgNode, kwargs: dict[str, Any]) -> Any:
    if kwargs.get("train_set") is not None:
        return original(cfg, **kwargs)
    for name in cfg.DATASETS.NAMES:
        find_reader(name)
    with explaining_reader(", ".join(cfg.DATASETS.NAMES), data_root()):
        return original(cfg, **kwargs)


def _load_train_set(cfg: CfgNode, kwargs: dict[str, Any]) -> Any:
    options = {
        key: value for key, value in kwargs.items() if key not in ("train_set", "sampler", "transforms")
    }
    items: list[Item] = []
    for name in cfg.DATASETS.NAMES:
        data = read_dataset(name, data_root(), **options)
        items.extend(sorted_train(data, name, data_root()))
        if comm.is_main_process():
            data.show_train()
    return CommDataset(items, build_transforms(cfg, is_train=True), relabel=True)
