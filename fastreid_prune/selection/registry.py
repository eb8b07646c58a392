"""Which strategies there are, what each is asked and what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np

from fastreid_prune.errors import FastreidPruneError, did_you_mean
from fastreid_prune.selection.collapse import Collapse
from fastreid_prune.selection.pool import Pool
from fastreid_prune.selection.redundancy import collapse_pool
from fastreid_prune.selection.regime import Regime, measure


@dataclass(frozen=True, eq=False)
class Task:
    """What a strategy is asked.

    Attributes:
        pool: what there is to choose from, N samples.
        ratio: the fraction to prune of the candidates, in [0, 1).
        entropy: [N] float, nats, of the soft labels: how much is learnt.
        score: the name of the pool's scores, for the reasons.
        seed: of what chance decides.
        right: the share of the samples on which the scoring model was right in its last epoch, if known.
    """

    pool: Pool
    ratio: float
    entropy: np.ndarray
    score: str = "entropy"
    seed: int = 0
    right: float | None = None

    @property
    def percent(self) -> str:
        """The ratio for people."""
        return f"{100 * self.ratio:g} %"

    @cached_property
    def collapsed(self) -> Collapse | None:
        """The order in which near-duplicates go; None where the run kept no features."""
        return None if self.pool.features is None else collapse_pool(self.pool)

    @cached_property
    def regime(self) -> Regime:
        """How redundant the set is."""
        return measure(self.pool, self.entropy, self.collapsed, self.right)

    def answer(self, keep: np.ndarray, reason: str) -> "Answer":
        """``keep`` [N] bool, with one reason for every candidate that goes."""
        reasons = np.full(len(self.pool), "", object)
        reasons[self.pool.candidates & ~keep] = reason
        return Answer(keep, reasons)


@dataclass(frozen=True, eq=False)
class Answer:
    """What a strategy chose.

    Attributes:
        keep: [N] bool.
        reason: [N] str, why a pruned sample went; "" for the others.
    """

    keep: np.ndarray
    reason: np.ndarray


@dataclass(frozen=True)
class Strategy:
    """A way to choose.

    Attributes:
        name: as in ``--method`` and in the configuration.
        choose: what it does with a task.
        source: the publication it comes from.
        direction: what goes first, in a few words.
    """

    name: str
    choose: Callable[[Task], Answer] = field(repr=False)
    source: str
    direction: str


_STRATEGIES: dict[str, Strategy] = {}
# name -> strategy, in the order of registration
STRATEGIES: Mapping[str, Strategy] = MappingProxyType(_STRATEGIES)


def strategy(
    name: str, *, source: str, direction: str
) -> Callable[[Callable[[Task], Answer]], Callable[[Task], Answer]]:
    """Register ``choose(task) -> answer`` under ``name``; see :class:`Strategy`."""

    def register(choose: Callable[[Task], Answer]) -> Callable[[Task], Answer]:
        if name in _STRATEGIES and _STRATEGIES[name].choose.__module__ != choose.__module__:
            raise ValueError(f"two strategies are called {name!r}")
        _STRATEGIES[name] = Strategy(name, choose, source, direction)
        return choose

    return register


def get(name: str) -> Strategy:
    """The strategy called ``name``.

    Raises:
        FastreidPruneError: there is none; the message lists all and the nearest.
    """
    if name not in STRATEGIES:
        hint = did_you_mean(name, STRATEGIES)
        raise FastreidPruneError(f"strategy: {name!r} found, one of {', '.join(STRATEGIES)} expected.{hint}")
    return STRATEGIES[name]
