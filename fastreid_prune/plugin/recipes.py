"""A training recipe resolved: what a config file and options come to, and what a run of it will cost."""

import hashlib
import logging
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin import register
from fastreid_prune.plugin.samples import training_samples
from fastreid_prune.plugin.shipped import find_config


@dataclass(frozen=True)
class Recipe:
    """A configuration of fastreid's, with all that it is based on.

    Attributes:
        config_file: path of the YAML.
        options: ``KEY, value, ...`` as on fastreid's command line.
        text: what differs from the defaults, without where the run writes to: what identifies it. A new key of a
            later version, at its default, does not make it another recipe.
        epochs, batch: ``SOLVER.MAX_EPOCH`` and ``SOLVER.IMS_PER_BATCH``.
        steps: ``SOLVER.STEPS``, epochs at which the learning rate falls.
        delay: ``SOLVER.DELAY_EPOCHS``.
        datasets: ``DATASETS.NAMES``.
        device: ``MODEL.DEVICE``.
        warmup: ``SOLVER.WARMUP_ITERS``.
        size: ``INPUT.SIZE_TRAIN``, height and width.
    """

    config_file: str
    options: tuple[str, ...]
    text: str
    epochs: int
    batch: int
    steps: tuple[int, ...]
    delay: int
    datasets: tuple[str, ...]
    device: str
    warmup: int
    size: tuple[int, int]

    @property
    def digest(self) -> str:
        """64 hexadecimal digits of the content."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def resolve(config_file: str | os.PathLike, options: Sequence[str] = ()) -> Recipe:
    """Read a config file and everything it is based on.

    Raises:
        FastreidPruneError: no such file, or a key or value that fastreid refuses.
    """
    cfg = _config(config_file, options)
    from fastreid.config import get_cfg

    steps, delay = tuple(cfg.SOLVER.STEPS), int(cfg.SOLVER.DELAY_EPOCHS)
    epochs, batch = int(cfg.SOLVER.MAX_EPOCH), int(cfg.SOLVER.IMS_PER_BATCH)
    datasets, device = tuple(cfg.DATASETS.NAMES), str(cfg.MODEL.DEVICE)
    cfg.OUTPUT_DIR = ""
    text = "\n".join(_changes(cfg, get_cfg()))
    warmup, (height, width) = int(cfg.SOLVER.WARMUP_ITERS), cfg.INPUT.SIZE_TRAIN
    return Recipe(
        str(config_file), tuple(map(str, options)), text, epochs, batch, steps, delay, datasets, device, warmup,
        (int(height), int(width)),
    )  # fmt: skip


def train_size(recipe: Recipe, data: str | os.PathLike) -> tuple[int, int]:
    """Images and identities of the recipe's training sets in the folder ``data``.

    Raises:
        FastreidPruneError: they are not there.
    """
    samples = training_samples(recipe.datasets, data)
    return len(samples), len(samples.class_names)


def seconds_an_image(recipe: Recipe, identities: int, steps: int = 3) -> float:
    """Time a few training steps of the recipe's model on random images, here and now; seconds an image.

    Loading and decoding are not in it; on CPU they are a few percent.
    """
    import torch
    from fastreid.engine import DefaultTrainer
    from fastreid.utils.events import EventStorage

    # it prints every layer
    logging.getLogger("fastreid.engine.defaults").setLevel(logging.WARNING)
    cfg = _config(recipe.config_file, recipe.options)
    cfg.MODEL.BACKBONE.PRETRAIN = False
    cfg.MODEL.HEADS.NUM_CLASSES = max(identities, 2)
    model = DefaultTrainer.build_model(cfg).train()
    height, width = cfg.INPUT.SIZE_TRAIN
    labels = torch.arange(recipe.batch) // cfg.DATALOADER.NUM_INSTANCE % max(identities, 2)
    batch = {
        "images": torch.rand(recipe.batch, 3, height, width, device=cfg.MODEL.DEVICE) * 255,
        "targets": labels.to(cfg.MODEL.DEVICE),
        "camids": torch.zeros_like(labels),
    }
    began = 0.0
    on_gpu = cfg.MODEL.DEVICE.startswith("cuda")
    with EventStorage(0):
        for step in range(steps + 1):
            if step == 1:
                # the first one also warms up
                if on_gpu:
                    torch.cuda.synchronize()
                began = time.perf_counter()
            with torch.autocast("cuda", enabled=on_gpu and cfg.SOLVER.AMP.ENABLED):
                loss = sum(model({**batch, "images": batch["images"].clone()}).values())
            loss.backward()
    if on_gpu:
        torch.cuda.synchronize()
    return (time.perf_counter() - began) / (steps * recipe.batch)


def _changes(node: Any, default: Any, prefix: str = "") -> Iterator[str]:
    for key in sorted(node):
        value, usual = node[key], default.get(key) if default is not None else None
        if isinstance(value, dict):
            yield from _changes(value, usual if isinstance(usual, dict) else None, f"{prefix}{key}.")
        elif default is None or key not in default or value != usual:
            yield f"{prefix}{key}: {value!r}"


def _config(config_file: str | os.PathLike, options: Sequence[str]) -> Any:
    register()
    from fastreid.config import get_cfg

    config_file = find_config(str(config_file))
    if not Path(config_file).is_file():
        raise FastreidPruneError(
            f"{config_file}: no such config file. Paths in a grid are relative to the folder of the grid's file, or to "
            "the one you are in."
        )
    cfg = get_cfg()
    try:
        cfg.merge_from_file(str(config_file))
        cfg.merge_from_list([str(option) for option in options])
    except FastreidPruneError as error:
        raise FastreidPruneError(f"{config_file}: {error}") from error
    except Exception as error:
        raise FastreidPruneError(
            f"{config_file}: fastreid refuses this configuration ({type(error).__name__}: {error!s:.200})."
        ) from error
    return cfg
