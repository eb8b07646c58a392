"""Ray: a cluster to hand work to. Every node needs this package and the run's files under the same paths."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.work import Arrays

# workers that may die at the same block
_RETRIES = 5


def connect(address: str) -> Any:
    """The module ``ray``, connected to a cluster.

    Args:
        address: "auto" for the one of this machine, "local" for a new one in this process, or that of another.

    Raises:
        FastreidPruneError: Ray is not installed, or there is no cluster.
    """
    try:
        import ray
    except ImportError as error:
        raise FastreidPruneError("Ray is not installed: pip install 'fastreid_prune[ray]'.") from error
    variables = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    try:
        ray.init(
            address, log_to_driver=False, runtime_env={"env_vars": variables}, logging_level=logging.WARNING
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise FastreidPruneError(
            f"--address {address}: no Ray cluster there ({error!s:.200}). Start one with `ray start --head`, or "
            "give its address."
        ) from error
    return ray


class RayBlocks:
    """Hands blocks to Ray, one processor each, and again where a worker died; see :class:`.work.Pool`.

    Args:
        address: see :func:`connect`.

    Raises:
        FastreidPruneError: Ray is not installed, or there is no cluster.
    """

    def __init__(self, address: str):
        self._ray = connect(address)

    def __enter__(self) -> "RayBlocks":
        return self

    def __exit__(self, *_: object) -> None:
        self._ray.shutdown()

    def map(
        self, function: Callable[..., Arrays], common: tuple[Any, ...], blocks: Sequence[Any]
    ) -> Iterator[Arrays]:
        """``function(*common, block)`` of all blocks, in their order."""
        task = self._ray.remote(_call).options(max_retries=_RETRIES, num_cpus=1)
        shared = self._ray.put(common)
        waiting = [task.remote(function, shared, block) for block in blocks]
        while waiting:
            # what was read is not held any longer
            yield self._ray.get(waiting.pop(0))


def _call(function: Callable[..., Arrays], common: tuple[Any, ...], block: Any) -> Arrays:
    return function(*common, block)
