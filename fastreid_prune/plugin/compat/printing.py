"""Progress of very short trainings."""

import functools
from typing import Any

from fastreid_prune.plugin.compat.patch import Patch, always


def _print_an_iteration_once() -> None:
    from fastreid.utils.events import CommonMetricPrinter, get_event_storage

    original = CommonMetricPrinter.write

    @functools.wraps(original)
    def write(self: Any) -> None:
        if self._last_write is None or self._last_write[0] != get_event_storage().iter:
            original(self)

    CommonMetricPrinter.write = write


PATCH = Patch(
    name="printing",
    breaks="a training of two or three iterations ends in a ZeroDivisionError after its last: its progress is printed "
    "twice and divided by the iterations in between",
    versions="all",
    needed=always,
    apply=_print_an_iteration_once,
)
