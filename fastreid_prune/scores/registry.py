"""Which methods there are, and the one call that runs them."""

import difflib
import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.trajectory.store import Trajectory

Score = Callable[..., np.ndarray]


@dataclass(frozen=True)
class Method:
    """A way to rank samples.

    Attributes:
        name: as in ``scores.compute(trajectory, name)`` and in the columns of the score files.
        score: ``score(trajectory, **options) -> [N]``; higher is more worth keeping.
        source: the publication it comes from.
        direction: what a high score means, in a few words.
    """

    name: str
    score: Score
    source: str
    direction: str


_METHODS: dict[str, Method] = {}


def method(name: str, source: str, direction: str) -> Callable[[Score], Score]:
    """Register ``score(trajectory, **options)`` under ``name``; see :class:`Method`."""

    def register(score: Score) -> Score:
        if name in _METHODS and _METHODS[name].score.__module__ != score.__module__:
            raise ValueError(f"two methods are called {name!r}")
        _METHODS[name] = Method(name, score, source, direction)
        return score

    return register


def available() -> list[str]:
    """The names of all methods, sorted."""
    return sorted(_METHODS)


def get(name: str) -> Method:
    """The method called ``name``.

    Raises:
        FastreidPruneError: there is none; the message lists all and the nearest.
    """
    if name not in _METHODS:
        near = difflib.get_close_matches(name, _METHODS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise FastreidPruneError(f"METHOD: no method {name!r}; there are {', '.join(available())}.{hint}")
    return _METHODS[name]


def compute(trajectory: Trajectory, method: str, **options: object) -> np.ndarray:
    """Score every sample; higher is more worth keeping, for every method.

    Args:
        trajectory: what a run recorded.
        method: one of :func:`available`.
        options: the method's own (see its docstring).

    Returns:
        ``[N]`` float64. NaN where the sample was never visited (``random`` scores those too).

    Raises:
        FastreidPruneError: no such method or option, or the trajectory lacks what the method needs.
    """
    chosen = get(method)
    known = [name for name in inspect.signature(chosen.score).parameters][1:]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise FastreidPruneError(
            f"{method}: no option {', '.join(unknown)}; it has {', '.join(known) or 'none'}."
        )
    return np.asarray(chosen.score(trajectory, **options), dtype=np.float64)
