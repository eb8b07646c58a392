"""Which methods there are, and the one call that runs them."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fastreid_prune.errors import FastreidPruneError, did_you_mean
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
        per_run: of several merged runs, whether the score is the mean of the runs' scores; else the method
            takes the merged trajectory as a whole.
        optional: it needs what runs keep on request alone; a run without it has no such score, and that is not told.
    """

    name: str
    score: Score
    source: str
    direction: str
    per_run: bool
    optional: bool = False


_METHODS: dict[str, Method] = {}


def method(
    name: str, *, source: str, direction: str, per_run: bool = True, optional: bool = False
) -> Callable[[Score], Score]:
    """Register ``score(trajectory, **options)`` under ``name``; see :class:`Method`."""

    def register(score: Score) -> Score:
        if name in _METHODS and _METHODS[name].score.__module__ != score.__module__:
            raise ValueError(f"two methods are called {name!r}")
        _METHODS[name] = Method(name, score, source, direction, per_run, optional)
        return score

    return register


def available() -> list[str]:
    """The names of all methods, sorted.

    Example:
        >>> "entropy" in available()
        True
    """
    return sorted(_METHODS)


def get(name: str) -> Method:
    """The method called ``name``.

    Raises:
        FastreidPruneError: there is none; the message lists all and the nearest.

    Example:
        >>> get("entropy").name
        'entropy'
    """
    if name not in _METHODS:
        hint = did_you_mean(name, _METHODS)
        raise FastreidPruneError(f"no method {name!r}; there are {', '.join(available())}.{hint}")
    return _METHODS[name]


def compute(trajectory: Trajectory, method: str, **options: object) -> np.ndarray:
    """Score every sample; higher is more worth keeping, for every method.

    Args:
        trajectory: what a run recorded, or several, merged.
        method: one of :func:`available`.
        options: the method's own (see its docstring).

    Returns:
        ``[N]`` float64. NaN where the sample was never visited (``random`` scores those too).

    Raises:
        FastreidPruneError: no such method or option, or the trajectory lacks what the method needs.

    Example:
        >>> import torch
        >>> from fastreid_prune.trajectory import LogitRecorder
        >>> recorder = LogitRecorder(2, 2)
        >>> recorder.update(torch.arange(2), torch.tensor([[9.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 1]))
        >>> recorder.end_epoch()
        >>> compute(recorder.trajectory(), "entropy").round(3).tolist()
        [0.001, 0.582]
    """
    chosen = get(method)
    known = list(inspect.signature(chosen.score).parameters)[1:]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise FastreidPruneError(
            f"{method}: no option {', '.join(unknown)}; it has {', '.join(known) or 'none'}."
        )
    runs = trajectory.runs() if chosen.per_run else [trajectory]
    return mean_of_runs([np.asarray(chosen.score(run, **options), dtype=np.float64) for run in runs])


def mean_of_runs(scores: list[np.ndarray]) -> np.ndarray:
    """The mean ``[N]`` of several runs' scores, over the runs that have one (are not NaN)."""
    stacked = np.stack(scores)
    have = ~np.isnan(stacked)
    total = np.where(have, stacked, 0).sum(0)
    return np.divide(total, have.sum(0), out=np.full_like(total, np.nan), where=have.any(0))
