"""fastreid's training items, ``(path, pid, camid)``, by name."""

import logging
import os
from typing import Any

from fastreid_prune.manifest import Manifest

logger = logging.getLogger("fastreid.prune")

# (path, pid, camid); a reader may leave out the camera or add more
Item = tuple[Any, ...]


def relative_name(path: str, root: str) -> str:
    """The name of a sample: its path relative to the folder of the data sets, with forward slashes.

    A file outside that folder is known by its absolute path.
    """
    absolute, folder = os.path.abspath(path), os.path.abspath(root)
    if os.path.commonpath([absolute, folder]) != folder:
        return absolute.replace(os.sep, "/")
    return os.path.relpath(absolute, folder).replace(os.sep, "/")


def apply_manifest(manifest_path: str, items: list[Item], root: str) -> list[Item]:
    """The items to train on: kept ones as they are, relabelled ones under their new identity.

    Args:
        manifest_path: a manifest's CSV.
        items: every training item of the data set.
        root: the folder of the data sets.

    Raises:
        FastreidPruneError: the manifest cannot be read, or does not fit the data set.
    """
    manifest = Manifest.read(manifest_path)
    names = [relative_name(item[0], root) for item in items]
    manifest.check_against(names, [str(item[1]) for item in items])
    identities = manifest.training_identities()
    kept = [
        (item[0], identities[name], *item[2:])
        for item, name in zip(items, names, strict=True)
        if name in identities
    ]
    logger.info(
        f"{manifest_path}: {len(kept)} of {len(items)} images and {len({item[1] for item in kept})} of "
        f"{len({str(item[1]) for item in items})} identities stay."
    )
    return kept
