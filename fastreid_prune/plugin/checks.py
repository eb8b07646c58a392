"""What would stop or spoil a training later, refused before it begins."""

import math
import os

import torch
from fastreid.utils import comm
from yacs.config import CfgNode

from fastreid_prune.errors import FastreidPruneError


def check_machine(cfg: CfgNode) -> None:
    """Refuse a device that is not there and pretrained weights that are not where they should be."""
    if cfg.MODEL.DEVICE.startswith("cuda") and not torch.cuda.is_available():
        raise FastreidPruneError(
            "MODEL.DEVICE: 'cuda' found, but torch sees no CUDA device here. Add `MODEL.DEVICE cpu` to the command, or "
            "see `fastreid-prune doctor`."
        )
    if ":" in cfg.MODEL.DEVICE and cfg.MODEL.DEVICE.startswith("cuda"):
        _use_card(cfg.MODEL.DEVICE)
    backbone = cfg.MODEL.BACKBONE
    if backbone.PRETRAIN and backbone.PRETRAIN_PATH and not os.path.isfile(backbone.PRETRAIN_PATH):
        raise FastreidPruneError(
            f"MODEL.BACKBONE.PRETRAIN_PATH: no file {backbone.PRETRAIN_PATH!r}. Put the backbone's ImageNet weights "
            "there, or set MODEL.BACKBONE.PRETRAIN False to train from scratch."
        )


def _use_card(name: str) -> None:
    """Make ``cuda:1`` the current device, which fastreid's loaders and streams go by."""
    number, cards = name.partition(":")[2], torch.cuda.device_count()
    if comm.get_world_size() > 1:
        raise FastreidPruneError(
            f"MODEL.DEVICE: {name!r} found with {comm.get_world_size()} processes, each with a card of its own. "
            "Set it to cuda, and choose the cards with CUDA_VISIBLE_DEVICES."
        )
    if not number.isdigit() or int(number) >= cards:
        raise FastreidPruneError(
            f"MODEL.DEVICE: {name!r} found; this machine has {cards} cards, from cuda:0 on."
        )
    torch.cuda.set_device(int(number))


def check_classes(cfg: CfgNode, identities: int) -> None:
    """Refuse a head with fewer classes than the training set has, which ends in an index error or on the device."""
    if cfg.MODEL.HEADS.NUM_CLASSES < identities:
        raise FastreidPruneError(
            f"MODEL.HEADS.NUM_CLASSES: {cfg.MODEL.HEADS.NUM_CLASSES} found, but the training set has {identities} "
            "identities. Set it to 0, and they are counted."
        )


def check_schedule(cfg: CfgNode, iters_per_epoch: int) -> None:
    """Refuse a cosine that has no epoch left after the warm-up, which ends in a division by zero or turns upwards."""
    solver = cfg.SOLVER
    before = max(math.ceil(solver.WARMUP_ITERS / iters_per_epoch), solver.DELAY_EPOCHS)
    if solver.SCHED == "CosineAnnealingLR" and before >= solver.MAX_EPOCH:
        raise FastreidPruneError(
            f"SOLVER.WARMUP_ITERS: {solver.WARMUP_ITERS} found, an epoch is {iters_per_epoch} iterations, and with "
            f"SOLVER.DELAY_EPOCHS {solver.DELAY_EPOCHS} the learning rate falls only after {before} epochs, of "
            f"SOLVER.MAX_EPOCH {solver.MAX_EPOCH}. Set the first lower or the last higher."
        )


def check_length(cfg: CfgNode, images: int) -> None:
    """Refuse a training set that does not fill one batch: nothing would be trained."""
    if images < cfg.SOLVER.IMS_PER_BATCH:
        raise FastreidPruneError(
            f"The training set has {images} images, fewer than one batch (SOLVER.IMS_PER_BATCH "
            f"{cfg.SOLVER.IMS_PER_BATCH}): nothing would be trained. Choose a smaller batch or prune less."
        )
