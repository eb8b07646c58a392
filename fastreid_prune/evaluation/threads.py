"""Work on slices of rows in all of the processor's cores; numpy lets go of the interpreter while it computes."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from threadpoolctl import threadpool_limits

from fastreid_prune.io.cores import usable_cores

Result = TypeVar("Result")


def over_slices(function: Callable[[slice], Result], count: int, size: int) -> Iterator[Result]:
    """``function(slice)`` for consecutive slices of ``size`` rows that cover ``count`` rows, in their order."""
    slices = [slice(first, min(first + size, count)) for first in range(0, count, size)]
    workers = min(usable_cores(), len(slices))
    if workers <= 1:
        yield from map(function, slices)
        return
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(function, slices)


@contextmanager
def matrix_products_in_one_thread() -> Iterator[None]:
    """Inside the block a matrix product uses the thread that asks for it, so that several can ask at once."""
    with threadpool_limits(limits=1, user_api="blas"):
        yield
