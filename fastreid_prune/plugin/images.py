"""Images that cannot be decoded are found before training, not an hour into it."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from fastreid.data.data_utils import read_image
from fastreid.utils import comm
from rich.progress import track

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.cores import usable_cores
from fastreid_prune.io.images import UnreadableImage
from fastreid_prune.plugin.items import Item, relative_name

logger = logging.getLogger("fastreid.prune")


def decoding_errors(paths: Sequence[str], description: str = "checking images") -> dict[int, str]:
    """Decode every image once, on all cores of all processes.

    Returns:
        position in ``paths`` -> why it cannot be decoded, of those that cannot.
    """
    rank, world_size = comm.get_rank(), comm.get_world_size()
    share = range(rank, len(paths), world_size)
    with ThreadPoolExecutor(usable_cores()) as pool:
        checked = track(
            pool.map(lambda row: _decoding_error(paths[row]), share),
            total=len(share),
            description=description,
            disable=rank != 0,
            transient=True,
        )
        found = [(row, error) for row, error in zip(share, checked, strict=True) if error]
    return dict(pair for part in comm.all_gather(found) for pair in part)


def drop_unreadable(items: list[Item], root: str) -> tuple[list[Item], list[dict[str, str]]]:
    """Leave out the images that cannot be decoded.

    Returns:
        The items that can be read, and of the others ``file_name``, ``pid``, ``camid`` and ``error``.

    Raises:
        FastreidPruneError: none can be read.
    """
    errors = decoding_errors([item[0] for item in items])
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
    try:
        read_image(path)
    except UnreadableImage as error:
        return error.why
    except Exception as error:
        return f"{type(error).__name__}: {str(error).replace(path, '').strip() or 'cannot be decoded'}"
    return ""
