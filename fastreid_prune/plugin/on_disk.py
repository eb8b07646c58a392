"""Data sets that fastreid has no reader for: where a name in ``DATASETS`` is a path, it is read by our own readers."""

import logging
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from fastreid.data.datasets import DATASET_REGISTRY
from fastreid.data.datasets.bases import ImageDataset
from fastreid.utils import comm
from yacs.config import CfgNode

from fastreid_prune import datasets
from fastreid_prune.datasets import Dataset

logger = logging.getLogger("fastreid.prune")

TestItem = tuple[str, int, int]


def register_paths(cfg: CfgNode) -> None:
    """Give fastreid's registry a reader for every name in ``DATASETS`` that it does not know and that is a path.

    Such a name is read as it stands or, where nothing is there, in the folder of the data sets.
    """
    register_names((*cfg.DATASETS.NAMES, *cfg.DATASETS.TESTS), cfg.PRUNE.DATA.PATTERN or None)


def register_names(names: Sequence[str], pattern: str | None = None) -> None:
    """As :func:`register_paths`, for these names."""
    for name in names:
        if name not in DATASET_REGISTRY._obj_map and is_path(name):
            DATASET_REGISTRY._obj_map[name] = _reader(name, pattern)


def is_path(name: str) -> bool:
    """Whether a name in ``DATASETS`` means a path: it has a slash or an ending, or something of that name is here."""
    return os.sep in name or "/" in name or bool(os.path.splitext(name)[1]) or os.path.exists(name)


def _reader(name: str, pattern: str | None) -> type:
    read: dict[str, Dataset] = {}

    class OnDisk(ImageDataset):
        """A data set read by our own readers, as fastreid has one; read once, and reported once."""

        dataset_name = name

        def __init__(self, root: str = "datasets", **kwargs: Any) -> None:
            if root not in read:
                read[root] = _read(name, root, pattern)
            data = read[root]
            query, gallery = test_items(data.of_split("query"), data.of_split("gallery"))
            super().__init__(train_items(data), query, gallery, **kwargs)

    return OnDisk


def _read(name: str, root: str, pattern: str | None) -> Dataset:
    within = os.path.join(root, name)
    data = datasets.read(
        name if os.path.exists(name) or not os.path.exists(within) else within, pattern=pattern
    )
    if comm.is_main_process():
        logger.info(f"{name}: read in the layout {data.layout}.")
        for line in data.report():
            logger.info(f"{name}: {line}")
    return data


def train_items(data: Dataset) -> list[tuple[str, str, str]]:
    """The training images as fastreid has them: path, ``name_identity``, ``name_camera``.

    Cameras that are all numbers count from 0 then, as those of fastreid's readers do; one that is not known is empty.
    """
    train = data.of_split("train")
    cameras = [f"{data.name}_{camera}" if camera else "" for camera in _from_zero(data.camid, train.camid)]
    return [
        (str(data.root / file), f"{data.name}_{pid}", camera)
        for file, pid, camera in zip(train.file_name, train.pid, cameras, strict=True)
    ]


def test_items(query: Dataset, gallery: Dataset) -> tuple[list[TestItem], list[TestItem]]:
    """The test images as fastreid has them: path, number of the identity, number of the camera.

    Identities that are all numbers keep them. Images whose camera is not known are in two cameras, one for queries and
    one for the gallery, so that no match is taken for one of the query's own camera.
    """
    pids = _numbers([*query.pid, *gallery.pid])
    every = np.concatenate([query.camid, gallery.camid])
    cameras = _numbers([camera for camera in _from_zero(every, every) if camera])
    first_free = max(cameras.values(), default=-1) + 1

    def items(part: Dataset, unknown: int) -> list[TestItem]:
        return [
            (str(part.root / file), pids[pid], cameras[camera] if camera else unknown)
            for file, pid, camera in zip(part.file_name, part.pid, _from_zero(every, part.camid), strict=True)
        ]

    return items(query, first_free), items(gallery, first_free + 1)


def _from_zero(every: np.ndarray, cameras: np.ndarray) -> list[str]:
    """Cameras counted from 0 where all of ``every`` are numbers from 1; else as they are."""
    numbered = all(camera.isdigit() and camera != "0" for camera in every if camera)
    return [str(int(camera) - 1) if camera and numbered else camera for camera in cameras]


def _numbers(names: Sequence[str]) -> dict[str, int]:
    distinct = sorted(set(names))
    own = [int(name) for name in distinct if name.isdigit()]
    if len(set(own)) == len(distinct) and np.max(own, initial=0) < 2**31:
        return dict(zip(distinct, own, strict=True))
    return {name: number for number, name in enumerate(distinct)}
