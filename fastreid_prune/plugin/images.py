"""Images that cannot be decoded are found before training, not an hour into it."""

import logging
import os
from concurrent.futures import ThreadPoolExecutor

from PIL import UnidentifiedImageError
from rich.progress import track

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin.compat.loaders import usable_cores
from fastreid_prune.plugin.items import relative_name

logger = logging.getLogger("fastreid.prune")


def drop_unreadable(items: list[tuple], root: str) -> tuple[list[tuple], list[dict[str, str]]]:
    """Decode every image once, on all cores of all processes.

    Returns:
        The items that can be read, and of the others ``file_name``, ``pid``, ``camid`` and ``error``.

    Raises:
        FastreidPruneError: none can be read.
    """
    from fastreid.utils import comm

    rank, world_size = comm.get_rank(), comm.get_world_size()
    share = range(rank, len(items), world_size)
    with ThreadPoolExecutor(usable_cores()) as pool:
        checked = track(
            pool.map(lambda row: _decoding_error(items[row][0]), share),
            total=len(share),
            description="checking images",
            disable=rank != 0,
            transient=True,
        )
        found = [(row, error) for row, error in zip(share, checked, strict=True) if error]
    errors = dict(pair for part in comm.all_gather(found) for pair in part)
    if not errors:
        return items, []
    unreadable = [
        {
            "file_name": relative_name(items[row][0], root),
            "pid": str(items[row][1]),
            "camid": str(items[row][2]) if len(items[row]) > 2 else "",
            "error": errors[row],
        }
        for row in sorted(errors)
    ]
    shown = "; ".join(f"{entry['file_name']} ({entry['error']})" for entry in unreadable[:5])
    more = f" and {len(unreadable) - 5} more" if len(unreadable) > 5 else ""
    if len(unreadable) == len(items):
        raise FastreidPruneError(f"None of the {len(items)} training images can be read: {shown}{more}.")
    logger.warning(f"{len(unreadable)} images cannot be read and are left out: {shown}{more}.")
    return [item for row, item in enumerate(items) if row not in errors], unreadable


def _decoding_error(path: str) -> str:
    from fastreid.data.data_utils import read_image

    try:
        read_image(path)
    except UnidentifiedImageError:
        return "no image" if os.path.getsize(path) else "an empty file"
    except Exception as error:
        return f"{type(error).__name__}: {str(error).replace(path, '').strip() or 'cannot be decoded'}"
    return ""
