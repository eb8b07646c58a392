"""A user's mistake ends in one message, without a traceback in the log and without an abort."""

import atexit
import contextlib
import functools
import logging
import queue
import threading
import time
from typing import Any

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin.compat.patch import Patch, always

PATIENCE = 10.0


def _log_no_traceback_of_mistakes() -> None:
    from fastreid.engine import train_loop

    logging.getLogger(train_loop.__name__).addFilter(_is_no_mistake)


def _is_no_mistake(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], FastreidPruneError))


def _name_infinite_losses() -> None:
    from fastreid.engine.train_loop import SimpleTrainer

    original = SimpleTrainer._write_metrics

    @functools.wraps(original)
    def _write_metrics(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            original(self, *args, **kwargs)
        except FloatingPointError as error:
            losses = " ".join(str(error).split("\n")[1:])
            raise FastreidPruneError(
                f"The loss became infinite or NaN at iteration {self.iter} ({losses}). Lower SOLVER.BASE_LR, warm up "
                "for longer (SOLVER.WARMUP_ITERS), or look at the images of the last batches."
            ) from error

    SimpleTrainer._write_metrics = _write_metrics


def _end_loading_before_exit() -> None:
    atexit.register(stop_loading)


def stop_loading() -> None:
    """Stop the threads that load batches and wait for them: one that still decodes while Python ends aborts it."""
    from fastreid.data.data_utils import BackgroundGenerator

    until = time.monotonic() + PATIENCE
    threads = [thread for thread in threading.enumerate() if isinstance(thread, BackgroundGenerator)]
    for thread in threads:
        thread.exit_event.set()
    for thread in threads:
        while thread.is_alive() and time.monotonic() < until:
            # it may be waiting for room in its queue
            with contextlib.suppress(queue.Empty):
                thread.queue.get_nowait()
            thread.join(0.02)


PATCHES = (
    Patch(
        name="mistakes",
        breaks="a full disk during training, and whatever else a user can put right, is logged with a traceback",
        versions="all",
        needed=always,
        apply=_log_no_traceback_of_mistakes,
    ),
    Patch(
        name="infinite-loss",
        breaks="a loss that is no number ends in a traceback",
        versions="all",
        needed=always,
        apply=_name_infinite_losses,
    ),
    Patch(
        name="loading-at-exit",
        breaks="an error sometimes ends in SIGABRT instead of its status: the loading thread still decodes at exit",
        versions="all",
        needed=always,
        apply=_end_loading_before_exit,
    ),
)
