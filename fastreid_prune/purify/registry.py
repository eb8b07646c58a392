"""Which rules of purification there are, and what each answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from fastreid_prune.errors import FastreidPruneError, did_you_mean
from fastreid_prune.io.work import Work
from fastreid_prune.scored_run.verdicts import Verdicts
from fastreid_prune.trajectory import Trajectory


@dataclass(frozen=True)
class Ruling:
    """What a rule says of the data set's N samples, in the trajectory's order.

    Attributes:
        verdicts: N of them.
        wrong: [N] float64, how much speaks against the label; NaN where a sample was never seen.
        outlier: [N] float64, how much speaks for an outlier.
        thresholds: what the verdicts rest on, as plain values for the files.
        sentences: what they are worth, in words.
    """

    verdicts: Verdicts
    wrong: np.ndarray
    outlier: np.ndarray
    thresholds: dict[str, Any]
    sentences: list[str]


Function = Callable[[Trajectory, float, Work], Ruling]


@dataclass(frozen=True)
class Rule:
    """A way to tell wrong labels and outliers.

    Attributes:
        name: as in ``--rule`` and in the configuration.
        rule: ``rule(trajectory, precision, work) -> Ruling``.
        source: the publication it comes from.
        direction: what it goes by, in a few words.
    """

    name: str
    rule: Function = field(repr=False)
    source: str
    direction: str


_RULES: dict[str, Rule] = {}
# name -> rule
RULES: Mapping[str, Rule] = MappingProxyType(_RULES)


def rule(name: str, *, source: str, direction: str) -> Callable[[Function], Function]:
    """Register ``rule(trajectory, precision, work) -> Ruling`` under ``name``; see :class:`Rule`."""

    def register(function: Function) -> Function:
        if name in _RULES and _RULES[name].rule.__module__ != function.__module__:
            raise ValueError(f"two rules are called {name!r}")
        _RULES[name] = Rule(name, function, source, direction)
        return function

    return register


def get(name: str) -> Rule:
    """The rule called ``name``.

    Raises:
        FastreidPruneError: there is none; the message lists all and the nearest.
    """
    if name not in RULES:
        hint = did_you_mean(name, RULES)
        raise FastreidPruneError(f"rule: {name!r} found, one of {', '.join(RULES)} expected.{hint}")
    return RULES[name]
