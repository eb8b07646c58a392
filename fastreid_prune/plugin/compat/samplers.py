"""Identity samplers that would loop for ever say so before training."""

import functools
from collections import Counter
from typing import Any

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin.compat.patch import Patch, always


def rounds_possible(counts: list[int], instances: int, identities: int) -> int:
    """How many rounds of ``identities`` different identities can be drawn before the images run out.

    Every identity gives ``instances`` images a draw, and at least one draw. With g(i) draws available from identity i,
    r rounds of p identities exist exactly when sum(min(g(i), r)) >= r * p.

    Args:
        counts: images of each identity.
    """
    draws = [max(1, count // instances) for count in counts]
    rounds = 0
    while sum(min(available, rounds + 1) for available in draws) >= (rounds + 1) * identities:
        rounds += 1
        if rounds >= max(draws):
            break
    return rounds


def check_sampler(name: str, counts: dict[str, int], batch: int, instances: int, world_size: int) -> None:
    """Refuse a batch that the sampler could never fill.

    Args:
        counts: identity -> number of images.
        batch: images a process and step.
        instances: ``DATALOADER.NUM_INSTANCE``, images an identity.

    Raises:
        FastreidPruneError: naming the numbers and what would work.
    """
    total = f"SOLVER.IMS_PER_BATCH {batch * world_size}" + (
        f" over {world_size} processes" if world_size > 1 else ""
    )
    if batch % instances or batch < instances:
        raise FastreidPruneError(
            f"{name} would wait for ever: {batch} images a process ({total}) is no multiple of "
            f"DATALOADER.NUM_INSTANCE {instances}. Choose SOLVER.IMS_PER_BATCH as a multiple of "
            f"{instances * world_size}."
        )
    needed = batch // instances
    if name == "BalancedIdentitySampler":
        enough = len(counts) >= needed * world_size
    else:
        enough = rounds_possible(list(counts.values()), instances, needed) >= world_size
    if not enough:
        largest = max(1, len(counts) // world_size) * instances * world_size
        raise FastreidPruneError(
            f"{name} would wait for ever: the training set has {len(counts)} identities, and a batch takes "
            f"{needed * world_size} ({total} / DATALOADER.NUM_INSTANCE {instances}). Set SOLVER.IMS_PER_BATCH to "
            f"{largest} or less, or raise DATALOADER.NUM_INSTANCE."
        )


def _check_identity_samplers() -> None:
    from fastreid.data.samplers import triplet_sampler

    def checked(sampler: Any) -> None:
        original = sampler.__init__

        @functools.wraps(original)
        def __init__(
            self: Any, data_source: Any, mini_batch_size: Any, num_instances: Any, *args: Any, **kwargs: Any
        ) -> None:
            from fastreid.utils import comm

            counts = Counter(str(item[1]) for item in data_source)
            check_sampler(sampler.__name__, counts, mini_batch_size, num_instances, comm.get_world_size())
            original(self, data_source, mini_batch_size, num_instances, *args, **kwargs)

        sampler.__init__ = __init__

    checked(triplet_sampler.NaiveIdentitySampler)
    checked(triplet_sampler.BalancedIdentitySampler)


PATCH = Patch(
    name="samplers",
    breaks="identity samplers loop for ever, with no message, on a batch they cannot fill",
    versions="all",
    needed=always,
    apply=_check_identity_samplers,
)
