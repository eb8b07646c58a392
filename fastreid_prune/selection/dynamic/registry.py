"""Which dynamic methods there are: those that choose anew before each epoch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class EpochChoice(NamedTuple):
    """What one epoch trains on.

    Attributes:
        rows: ``[K]`` int64, ascending.
        weight: ``[N]`` float32, by how much a sample's gradient is multiplied; 1 for most.
    """

    rows: np.ndarray
    weight: np.ndarray


# choose(loss [N] float, ratio, random) -> EpochChoice; loss is NaN where the sample was not seen yet
ChooseEpoch = Callable[[np.ndarray, float, np.random.Generator], EpochChoice]


@dataclass(frozen=True)
class DynamicMethod:
    """A way to choose what the next epoch trains on.

    Attributes:
        name: as in ``PRUNE.METHOD``.
        choose: the choice.
        source: the publication it comes from.
        on_all: the share of the epochs, at the end, that its authors train on everything.
    """

    name: str
    choose: ChooseEpoch
    source: str
    on_all: float


DYNAMIC: dict[str, DynamicMethod] = {}


def dynamic(name: str, *, source: str, on_all: float = 0.0) -> Callable[[ChooseEpoch], ChooseEpoch]:
    """Register ``choose(loss, ratio, random)`` under ``name``; see :class:`DynamicMethod`."""

    def register(choose: ChooseEpoch) -> ChooseEpoch:
        DYNAMIC[name] = DynamicMethod(name, choose, source, on_all)
        return choose

    return register
