"""Writing files so that a crash or a full disk never leaves half of one."""

import contextlib
import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastreid_prune.errors import FastreidPruneError


@contextlib.contextmanager
def written_whole(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it onto ``path`` if the block ends well.

    The previous file stays as it was until the new one is complete and on disk.

    Raises:
        FastreidPruneError: the disk is full, or the folder cannot be written to.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise cannot_write(path, error) from error
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:
        reason = _os_error(error)
        if reason is None:
            raise
        raise cannot_write(path, reason) from error
    finally:
        temporary.unlink(missing_ok=True)


def save_tensors(data: Any, path: str | os.PathLike) -> None:
    """``torch.save`` of ``data`` onto ``path``, whole or not at all.

    Raises:
        FastreidPruneError: the disk is full, or the folder cannot be written to.
    """
    import torch

    # Into a file of Python's: torch's own says nothing of a full disk.
    with written_whole(path) as temporary, open(temporary, "wb") as file:
        torch.save(data, file)


def cannot_write(path: Path, error: OSError) -> FastreidPruneError:
    """The error for a failed write to ``path``, saying what a person can do about it."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        kept = "the previous file is unchanged" if path.exists() else "nothing was written"
        return FastreidPruneError(
            f"{path}: the disk is full; {kept}. Free some space and run the command again."
        )
    return FastreidPruneError(
        f"{path}: cannot be written ({error.strerror or error}). Check the folder's permissions."
    )


def sha256(path: str | os.PathLike) -> str:
    """The SHA-256 digest of a file, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _os_error(error: BaseException | None) -> OSError | None:
    """The operating system's error behind ``error``; torch wraps a failed write into a RuntimeError."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    return error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
