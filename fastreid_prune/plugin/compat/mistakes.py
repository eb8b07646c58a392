"""A user's mistake ends in one message, without a traceback in the log."""

import logging

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin.compat.patch import Patch, always


def _log_no_traceback_of_mistakes() -> None:
    logging.getLogger("fastreid.engine.train_loop").addFilter(_is_no_mistake)


def _is_no_mistake(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], FastreidPruneError))


PATCH = Patch(
    name="mistakes",
    breaks="a full disk during training, and whatever else a person can mend, is logged with a traceback",
    versions="all",
    needed=always,
    apply=_log_no_traceback_of_mistakes,
)
