"""Data loaders on machines without CUDA, and with fewer cores than fastreid assumes."""

import functools
import logging
import multiprocessing
import sys
from typing import Any

import torch

from fastreid_prune.io.cores import usable_cores
from fastreid_prune.plugin.compat.patch import Patch, always
from fastreid_prune.plugin.loading import loading_device

logger = logging.getLogger("fastreid.prune")


def _load_on_cpu_too() -> None:
    from fastreid.data.data_utils import BackgroundGenerator, DataLoaderX

    original_init = DataLoaderX.__init__
    original_preload = DataLoaderX.preload
    original_next = DataLoaderX.__next__
    original_run = BackgroundGenerator.run

    @functools.wraps(original_init)
    def __init__(self: Any, local_rank: Any, **kwargs: Any) -> None:
        if torch.cuda.is_available() and not loading_device().startswith("cpu"):
            # cuda:1 is meant, whatever the rank
            index = torch.device(loading_device()).index
            original_init(self, local_rank if index is None else index, **kwargs)
        else:
            kwargs["pin_memory"] = False
            super(DataLoaderX, self).__init__(**kwargs)
            self.stream = None
            self.local_rank = None

    def preload(self: Any) -> None:
        if self.stream is None:
            self.batch = next(self.iter, None)
        else:
            original_preload(self)

    def __next__(self: Any) -> Any:
        if self.stream is not None:
            return original_next(self)
        if self.batch is None:
            raise StopIteration
        batch = self.batch
        self.preload()
        return batch

    def run(self: Any) -> None:
        if self.local_rank is not None:
            original_run(self)
            return
        for item in self.generator:
            if self.exit_event.is_set():
                break
            self.queue.put(item)
        self.queue.put(None)

    DataLoaderX.__init__ = __init__
    DataLoaderX.preload = preload
    DataLoaderX.__next__ = __next__
    BackgroundGenerator.run = run


def _pass_on_loading_errors() -> None:
    from fastreid.data.data_utils import BackgroundGenerator

    original_run = BackgroundGenerator.run
    original_next = BackgroundGenerator.next

    def run(self: Any) -> None:
        self.error = None
        try:
            original_run(self)
        except Exception as error:
            self.error = error
            self.queue.put(None)

    def next(self: Any) -> Any:
        try:
            return original_next(self)
        except StopIteration:
            if self.error is not None:
                raise self.error from None
            raise

    BackgroundGenerator.run = run
    BackgroundGenerator.next = next


def _fit_worker_count() -> None:
    from fastreid.data.data_utils import DataLoaderX
    from fastreid.utils import comm

    original = DataLoaderX.__init__

    @functools.wraps(original)
    def __init__(self: Any, local_rank: Any, **kwargs: Any) -> None:
        fitting = max(1, usable_cores() // comm.get_local_size())
        asked = kwargs.get("num_workers", 0)
        if asked > fitting:
            logger.info(
                f"{asked} loading workers asked for, {fitting} started: that is what the cores serve."
            )
            kwargs["num_workers"] = fitting
        original(self, local_rank, **kwargs)

    DataLoaderX.__init__ = __init__


def _fork_workers() -> None:
    from fastreid.data.data_utils import DataLoaderX

    original = DataLoaderX.__init__

    @functools.wraps(original)
    def __init__(self: Any, local_rank: Any, **kwargs: Any) -> None:
        if kwargs.get("num_workers", 0) and multiprocessing.get_start_method() != "fork":
            kwargs.setdefault("multiprocessing_context", "fork")
        original(self, local_rank, **kwargs)

    DataLoaderX.__init__ = __init__


PATCHES = (
    Patch(
        name="loader-cpu",
        breaks="every data loader makes a CUDA stream: nothing loads on CPU",
        versions="all",
        needed=always,
        apply=_load_on_cpu_too,
    ),
    Patch(
        name="loader-errors",
        breaks="an error while loading (an image that cannot be read) hangs the run for ever, without a message",
        versions="all",
        needed=always,
        apply=_pass_on_loading_errors,
    ),
    Patch(
        name="worker-count",
        breaks="4 to 8 loading workers a loader, however few cores there are; the test loader's 4 cannot be changed",
        versions="all",
        needed=always,
        apply=_fit_worker_count,
    ),
    Patch(
        name="worker-fork",
        breaks="with several processes, and always with Python 3.14 (forkserver is its default), workers are not "
        "forked: every worker imports torch and the script again, and Ctrl-C ends in their tracebacks",
        versions="all, on Linux",
        needed=lambda: sys.platform == "linux",
        apply=_fork_workers,
    ),
)
