"""What there is to train with."""

import os
from pathlib import Path

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.cores import usable_cores
from fastreid_prune.lab.audit.recipe import AUTO, Machine


def look(recipe: str) -> Machine:
    """Look at the machine, and fetch ImageNet weights where the recipe, or the choice of one, needs them.

    Raises:
        FastreidPruneError: the recipe that was asked for needs what is not there.
    """
    import torch

    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else ""
    weights, why = None, ""
    if recipe == "cpu" or (recipe == AUTO and not gpu):
        weights, why = _weights(needed=recipe == "cpu")
    return Machine(gpu, usable_cores(), weights, why)


def _weights(needed: bool) -> tuple[Path | None, str]:
    """ImageNet weights of MobileNetV2: where a person put them, else in the user's cache, fetched once."""
    from fastreid_prune.plugin.weights import DEFAULT_PATH, place_weights

    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "fastreid_prune"
    for path in (DEFAULT_PATH, cache / DEFAULT_PATH.name):
        if path.is_file():
            return path.absolute(), ""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        return place_weights(cache / DEFAULT_PATH.name).path.absolute(), ""
    except (FastreidPruneError, OSError) as error:
        if needed:
            raise
        return None, str(error).split("(")[0].strip()
