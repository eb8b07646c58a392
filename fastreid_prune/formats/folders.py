"""Folders that appear whole or not at all, with links and copies that stay inside them."""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.files import cannot_write

CHECKSUMS = "SHA256SUMS"
# the endings of images, in small letters
IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


@dataclass(frozen=True)
class Images:
    """Where the images are, for formats that hold them.

    Attributes:
        root: the folder that the file names are relative to; None: formats that can do without leave them out.
        copy: copy the images; else link to them.
    """

    root: Path | None = None
    copy: bool = False


@contextlib.contextmanager
def whole_folder(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; rename it to ``path`` if the block ends well.

    Raises:
        FastreidPruneError: there is something at ``path`` already, or it cannot be written.
    """
    path = Path(os.path.abspath(path))
    if path.is_symlink() or (path.exists() and not (path.is_dir() and not any(path.iterdir()))):
        raise FastreidPruneError(
            f"{path}: exists already and is not an empty folder. Choose another output folder."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        yield temporary
        temporary.chmod(0o755)
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def place_image(source: Path, target: Path, copy: bool) -> None:
    """Link to (relative to the link) or copy the image ``source``.

    Raises:
        FastreidPruneError: there is no such image.
    """
    if not source.is_file():
        raise FastreidPruneError(
            f"{source}: no such image. Give the folder that holds the data sets (the file names are relative to it)."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    if copy:
        shutil.copyfile(source, target)
    else:
        target.symlink_to(os.path.relpath(os.path.abspath(source), target.parent))


def write_checksums(folder: Path) -> None:
    """Write ``SHA256SUMS`` of the regular files right in ``folder``, as ``sha256sum -c`` reads it."""
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n"
        for file in sorted(folder.iterdir())
        if file.is_file() and not file.is_symlink() and file.name != CHECKSUMS
    ]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8", newline="\n")
