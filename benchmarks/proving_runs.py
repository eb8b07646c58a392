"""Scored runs of the proving ground: a small set, errors of our making, a plain PyTorch training with the recorder."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from proving_sets import LOADERS, ImageSet
from torch import Tensor, nn

from fastreid_prune.purify.injection_plan import plan_calibration
from fastreid_prune.purify.synthetic_outliers import compose
from fastreid_prune.scored_run.injected import COMPOSED_FOLDER, META_KEY, record_of
from fastreid_prune.trajectory import LogitRecorder, Samples, save_trajectory


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        name: of the setting.
        images: one of ``proving_sets.LOADERS``.
        wrong, foreign: the shares of wrong labels, and of images of identities that are taken out of the set.
        grouped: wrong labels come in groups of like images of one identity, which go to one other identity together.
        size: height and width of the images.
        net: one of ``NETS``.
        epochs, rate: of the training (Adam, cosine).
        most: samples at most; per_identity: samples of each identity at most; identities: at most.
        blur: images are first shrunk to this height.
        camera: only images of this camera.
        long_tail: identities have a number of images that falls with their rank.
        clean_pass: logits and features by a clean pass after each epoch, instead of the training forwards.
        seed: of everything.
    """

    name: str
    images: str
    wrong: float = 0.0
    foreign: float = 0.0
    grouped: bool = False
    size: tuple[int, int] = (32, 32)
    net: str = "conv"
    epochs: int = 12
    rate: float = 2e-3
    most: int = 3000
    per_identity: int = 10**6
    identities: int = 10**6
    blur: int = 0
    camera: str = ""
    long_tail: bool = False
    clean_pass: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Noisy:
    """A set with errors: its images, the labels that it gives, and the truth.

    Attributes:
        images: N of them; ``images.label`` is the true class, -1 of what shows none of the classes.
        given: [N] int64.
    """

    images: ImageSet
    given: np.ndarray


def noisy(setting: Setting, sources: Path) -> Noisy:
    """The set of a setting, with its errors."""
    rng = np.random.default_rng([setting.seed, 17])
    whole = LOADERS[setting.images](sources, setting.size)
    if setting.camera:
        whole = whole.part(np.flatnonzero(whole.camera == setting.camera))
    rows = _chosen(whole.label, setting, rng)
    some = whole.part(rows)
    pixels = _blurred(some.pixels, setting.blur) if setting.blur else some.pixels
    true, strangers = some.label.copy(), np.zeros(len(rows), bool)
    if setting.foreign:
        strangers = _strangers(true, setting.foreign, rng)
        classes = np.unique(true[~strangers])
        true = np.where(strangers, -1, np.searchsorted(classes, true))
    count = int(true.max()) + 1
    given = np.where(strangers, rng.integers(0, count, len(true)), true)
    wrong = _groups(pixels, true, setting, rng) if setting.grouped else _singles(true, setting.wrong, rng)
    for group in wrong:
        given[group] = (true[group] + rng.integers(1, count)) % count
    return Noisy(ImageSet(pixels, true, some.camera), given)


def _chosen(label: np.ndarray, setting: Setting, rng: np.random.Generator) -> np.ndarray:
    identities = rng.permutation(np.unique(label))[: setting.identities]
    most = np.full(len(identities), setting.per_identity)
    if setting.long_tail:
        most = np.maximum(2, (60 / (1 + np.arange(len(identities)) / 4)).astype(int))
    parts = [
        rng.permutation(np.flatnonzero(label == one))[:limit]
        for one, limit in zip(identities, most, strict=True)
    ]
    rows = np.concatenate([part for part in parts if len(part) > 1])
    return np.sort(rng.permutation(rows)[: setting.most])


def _strangers(label: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    strangers = np.zeros(len(label), bool)
    for one in rng.permutation(np.unique(label)):
        if strangers.sum() >= share * len(label):
            break
        strangers |= label == one
    return strangers


def _singles(label: np.ndarray, share: float, rng: np.random.Generator) -> list[np.ndarray]:
    known = np.flatnonzero(label >= 0)
    return [np.array([row]) for row in rng.permutation(known)[: round(share * len(label))]]


def _groups(
    pixels: np.ndarray, label: np.ndarray, setting: Setting, rng: np.random.Generator
) -> list[np.ndarray]:
    """Of random images, each with the images of its identity that are most like it, no more than half of them."""
    free, groups, taken = label >= 0, [], 0
    flat = pixels.reshape(len(pixels), -1).astype(np.float32)
    for row in rng.permutation(np.flatnonzero(label >= 0)):
        if taken >= setting.wrong * len(label):
            break
        same = np.flatnonzero(free & (label == label[row]))
        if not free[row] or len(same) < 4:
            continue
        like = same[np.argsort(((flat[same] - flat[row]) ** 2).sum(1))][: min(6, len(same) // 2)]
        free[label == label[row]] = (
            False
            if setting.images not in ("digits", "mnist", "cifar10", "signs")
            else free[label == label[row]]
        )
        free[like] = False
        groups.append(like)
        taken += len(like)
    return groups


def _blurred(pixels: np.ndarray, height: int) -> np.ndarray:
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
    factor = height / x.shape[2]
    small = nn.functional.interpolate(x, scale_factor=factor, mode="area")
    large = nn.functional.interpolate(small, size=x.shape[2:], mode="bilinear")
    return large.round().to(torch.uint8).permute(0, 2, 3, 1).numpy()


def _conv(shape: tuple[int, int], widths: tuple[int, ...], norm: bool) -> nn.Module:
    layers: list[nn.Module] = []
    for before, after in zip((3, *widths), widths, strict=False):
        layers += [nn.Conv2d(before, after, 3, padding=1)]
        layers += [nn.BatchNorm2d(after)] if norm else []
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d((2, 1)), nn.Flatten())


def _mlp(shape: tuple[int, int]) -> nn.Module:
    inside = 3 * shape[0] * shape[1]
    return nn.Sequential(nn.Flatten(), nn.Linear(inside, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU())


NETS = {
    "conv": lambda shape: _conv(shape, (32, 64, 128), True),
    "wide": lambda shape: _conv(shape, (48, 96, 192, 192), True),
    "plain": lambda shape: _conv(shape, (24, 48, 96), False),
    "mlp": _mlp,
}


def score(setting: Setting, sources: Path, folder: Path) -> None:
    """Train and record; ``folder`` gets ``prune/trajectory`` and ``truth.npz``."""
    rng = np.random.default_rng([setting.seed, 23])
    torch.manual_seed(setting.seed)
    data = noisy(setting, sources)
    names = np.array([f"p_{one:04d}" for one in range(int(data.given.max()) + 1)], object)
    plan = plan_calibration(names[data.given], clips=0.0, seed=setting.seed)
    trained = data.given.copy()
    position = {name: index for index, name in enumerate(names)}
    for row, name in plan.switched.items():
        trained[row] = position[name]
    files = [f"{row:06d}.png" for row in range(len(trained))]
    record = record_of(
        files,
        {row: str(names[data.given[row]]) for row in plan.switched},
        {f"{COMPOSED_FOLDER}/{number:05d}.png": one.kind for number, one in enumerate(plan.composed)},
    )
    pixels = data.images.pixels
    composed = [
        compose(one.kind, pixels[one.first], pixels[one.second], np.random.default_rng(one.seed))
        for one in plan.composed
    ]
    camera = np.r_[data.images.camera, data.images.camera[[one.first for one in plan.composed]]]
    files += list(record["composed"])
    label = np.r_[trained, [position[one.pid] for one in plan.composed]].astype(np.int64)
    samples = Samples.from_items(files, list(names[label]), list(camera))
    inputs = torch.from_numpy(np.concatenate([pixels, np.stack(composed)])).permute(0, 3, 1, 2)
    recorder = _trained(inputs, torch.from_numpy(samples.label), setting, samples, rng)
    trajectory = recorder.trajectory({"mode": "eval" if setting.clean_pass else "train", META_KEY: record})
    save_trajectory(trajectory, folder / "prune" / "trajectory")
    np.savez(folder / "truth.npz", true=data.images.label, given=data.given)
    (folder / "setting.json").write_text(json.dumps(setting.__dict__, default=str))


def _trained(
    inputs: Tensor, label: Tensor, setting: Setting, samples: Samples, rng: np.random.Generator
) -> LogitRecorder:
    classes, count = int(label.max()) + 1, len(label)
    body = NETS[setting.net](setting.size)
    wide = body(torch.zeros(1, 3, *setting.size)).shape[1]
    head = nn.Linear(wide, classes)
    optimizer = torch.optim.Adam([*body.parameters(), *head.parameters()], setting.rate, weight_decay=1e-4)
    steps = setting.epochs * -(-count // 64)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    recorder = LogitRecorder(count, classes, samples=samples)
    flips = setting.images not in ("digits", "mnist", "characters", "signs")
    for _ in range(setting.epochs):
        body.train()
        for index in torch.from_numpy(rng.permutation(count)).split(64):
            x = inputs[index].float() / 255 - 0.5
            x = x.flip(3) if flips and rng.random() < 0.5 else x
            shift = tuple(int(one) for one in rng.integers(-1, 2, 2))
            features = body(x.roll(shift, (2, 3)))
            logits = head(features)
            loss = nn.functional.cross_entropy(logits, label[index], label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            if not setting.clean_pass:
                recorder.update(index, logits.detach(), label[index], features=features.detach())
        if setting.clean_pass:
            body.eval()
            with torch.no_grad():
                for index in torch.arange(count).split(256):
                    features = body(inputs[index].float() / 255 - 0.5)
                    recorder.update(index, head(features), label[index], features=features)
        recorder.end_epoch()
    return recorder
