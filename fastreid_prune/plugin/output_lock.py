"""One training at a time writes into an output folder."""

import contextlib
import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import IO

from fastreid_prune.errors import FastreidPruneError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

NAME = "training.lock"


def lock_output(folder: str | os.PathLike) -> IO[str] | None:
    """Hold ``folder`` for this process, for as long as the returned file is open and the process alive.

    The system lets go of the lock when the process ends, however it ends: a file that a killed training left is in
    nobody's way. Processes that are forked from this one do not hold it.

    Returns:
        The open file; None where there is no folder, or the system has no such locks.

    Raises:
        FastreidPruneError: another training holds it; with its process, machine and start.
    """
    if not folder or fcntl is None:
        return None
    path = Path(folder) / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    file = open(path, "a+", encoding="utf-8")
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        other = _described(file.read())
        file.close()
        raise FastreidPruneError(
            f"OUTPUT_DIR: another training writes into {folder} ({other}). Wait for it or stop it, or give this one "
            "another OUTPUT_DIR."
        ) from None
    file.truncate(0)
    started = time.strftime("%Y-%m-%d %H:%M:%S")
    json.dump(
        {"pid": os.getpid(), "host": socket.gethostname(), "started": started, "command": sys.argv}, file
    )
    file.flush()
    return file


def _described(content: str) -> str:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        other = json.loads(content)
        return f"process {other['pid']} on {other['host']}, since {other['started']}"
    return f"{NAME} is held"
