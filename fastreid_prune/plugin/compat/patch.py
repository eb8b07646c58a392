"""What a compat patch is."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Patch:
    """One change made to fastreid or torch from outside.

    Attributes:
        name: how the patch is called in ``doctor`` and in ``FASTREID_PRUNE_WITHOUT``.
        breaks: what happens without it.
        versions: the versions concerned.
        needed: tells whether this environment needs it; looks, changes nothing.
        apply: makes the change. Called at most once in a process.
    """

    name: str
    breaks: str
    versions: str
    needed: Callable[[], bool]
    apply: Callable[[], None]


def always() -> bool:
    """For patches that every supported version needs."""
    return True
