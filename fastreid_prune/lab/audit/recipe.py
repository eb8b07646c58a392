"""Which recipe fits a machine and a data set, and why: pure functions."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

# name -> scoring and retraining recipe, in CONFIGS
RECIPES = {
    "gpu": ("Base-score.yml", "Base-retrain.yml"),
    "cpu": ("CPU/score_mobilenetv2.yml", "CPU/retrain_mobilenetv2.yml"),
    "small": ("Demo/score.yml", "Demo/retrain.yml"),
}
AUTO = "auto"
# ours: the runs that our figures come from have 372 (the demo) or more
ENOUGH_ITERATIONS = 360
MOST_EPOCHS = 60
_WARMUP_SHARE = 0.12  # of all iterations, at most
_UPRIGHT = 1.4  # height / width from which images are people's crops
_SMALL_SIDE = 80  # pixels; images no taller are shown to the model at half the recipe's height


@dataclass(frozen=True)
class Machine:
    """What there is to train with.

    Attributes:
        gpu: name of the GPU; empty without one.
        cores: that this process may use.
        weights: ImageNet weights of MobileNetV2; None where they cannot be had.
        why_no_weights: what stood in the way.
    """

    gpu: str
    cores: int
    weights: Path | None
    why_no_weights: str = ""


@dataclass(frozen=True)
class Facts:
    """What a recipe depends on in a data set.

    Attributes:
        images, identities: for training.
        height, width: medians, in pixels.
    """

    images: int
    identities: int
    height: int
    width: int


@dataclass(frozen=True)
class Schedule:
    """Of a training recipe, what depends on the size of the data set (the keys of ``SOLVER`` and ``INPUT``)."""

    epochs: int
    batch: int
    warmup: int
    steps: tuple[int, ...]
    size: tuple[int, int]


@dataclass(frozen=True)
class Fitted:
    """Options that fit a recipe to a data set, and a sentence for each choice."""

    options: dict[str, object]
    reasons: list[str]


def choose_recipe(machine: Machine, wanted: str = AUTO) -> tuple[str, str]:
    """The recipe's name and why it is taken.

    >>> choose_recipe(Machine("", 2, None, "no network"))[0]
    'small'
    """
    if wanted != AUTO:
        return wanted, "asked for"
    if machine.gpu:
        return "gpu", f"there is a GPU ({machine.gpu}): ResNet-50"
    if machine.weights:
        return "cpu", f"no GPU, {machine.cores} cores: MobileNetV2 from ImageNet weights"
    return (
        "small",
        f"no GPU and no ImageNet weights ({machine.why_no_weights}): ResNet-18 from scratch",
    )


def fit(schedule: Schedule, facts: Facts, given: Collection[str] = ()) -> Fitted:
    """Fit a recipe to a data set: batch, epochs with all that hangs on them, size of the input.

    Args:
        schedule: of the recipe, with what a person gave.
        facts: of the data set.
        given: keys that a person gave: they stay.

    >>> fit(Schedule(12, 64, 60, (7, 10), (128, 64)), Facts(1200, 180, 200, 80)).options["SOLVER.MAX_EPOCH"]
    20
    """
    options: dict[str, object] = {}
    reasons: list[str] = []
    batch = schedule.batch if "SOLVER.IMS_PER_BATCH" in given else _batch(schedule.batch, facts)
    if batch != schedule.batch:
        options["SOLVER.IMS_PER_BATCH"] = batch
        reasons.append(
            f"{batch} images a batch, not {schedule.batch}: there are {facts.images} images of "
            f"{facts.identities} identities, and a batch has 4 of each."
        )
    iterations = max(facts.images // batch, 1)
    epochs = min(max(schedule.epochs, math.ceil(ENOUGH_ITERATIONS / iterations)), MOST_EPOCHS)
    if "SOLVER.MAX_EPOCH" in given:
        epochs = schedule.epochs
    if epochs != schedule.epochs:
        options |= {
            "SOLVER.MAX_EPOCH": epochs,
            "SOLVER.STEPS": [round(step * epochs / schedule.epochs) for step in schedule.steps],
            "SOLVER.CHECKPOINT_PERIOD": math.ceil(epochs / 4),
        }
        reasons.append(
            f"{epochs} epochs, not {schedule.epochs}: an epoch has {iterations} iterations, and with fewer than "
            f"{ENOUGH_ITERATIONS} in all too little is learnt of who is who."
        )
    options["TEST.EVAL_PERIOD"] = epochs
    size = schedule.size if "INPUT.SIZE_TRAIN" in given else _size(schedule.size, facts)
    shape = f"{size[0]}x{size[1]} pixels (height x width)"
    reasons.insert(0, f"{epochs} epochs of {iterations} iterations, each of {batch} images of {shape}.")
    warmup = int(_WARMUP_SHARE * epochs * iterations)
    if warmup < schedule.warmup and "SOLVER.WARMUP_ITERS" not in given:
        options["SOLVER.WARMUP_ITERS"] = warmup
        reasons.append(f"{warmup} iterations of warm-up, not {schedule.warmup}: an eighth of all at most.")
    if size != schedule.size:
        options |= {"INPUT.SIZE_TRAIN": list(size), "INPUT.SIZE_TEST": list(size)}
        reasons.append(
            f"{shape}, not {schedule.size[0]}x{schedule.size[1]}: the images have {facts.height}x{facts.width} in the "
            "median."
        )
    return Fitted(options, reasons)


def as_pairs(options: dict[str, object]) -> list[str]:
    """``KEY, value, …`` as on a command line."""
    return [str(part) for pair in options.items() for part in pair]


def median(values: Sequence[int]) -> int:
    """The upper median."""
    return sorted(values)[len(values) // 2]


def _batch(batch: int, facts: Facts) -> int:
    """A multiple of 4 that has identities enough, and images."""
    return max(4, 4 * min(batch // 4, facts.identities, facts.images // 4))


def _size(size: tuple[int, int], facts: Facts) -> tuple[int, int]:
    height, width = size
    if max(facts.height, facts.width) <= _SMALL_SIDE and height > _SMALL_SIDE:
        height, width = height // 2, width // 2
    if facts.height < _UPRIGHT * facts.width:
        side = 16 * round(math.sqrt(height * width) / 16)
        return side, side
    return height, width
