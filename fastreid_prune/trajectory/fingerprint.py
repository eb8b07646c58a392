"""What tells one trajectory on disk from another, for files that hold what was found of it."""

import hashlib
import json
from dataclasses import fields
from pathlib import Path

import numpy as np

from fastreid_prune.trajectory.factors import FactoredLogits
from fastreid_prune.trajectory.store import Trajectory
from fastreid_prune.version import __version__


def fingerprint(trajectory: Trajectory) -> str:
    """A name of 24 letters, another one for another trajectory or version of this package.

    Factors count by the size and time of their files; the rest by what is in it.

    Args:
        trajectory: whose mean logits are :class:`.factors.FactoredLogits`.
    """
    digest = hashlib.blake2b(repr((__version__, trajectory.mean_logits.shape)).encode(), digest_size=12)
    digest.update(json.dumps(trajectory.meta, sort_keys=True, default=str).encode())
    arrays = [trajectory.labels, *(getattr(trajectory.epochs, one.name) for one in fields(trajectory.epochs))]
    if trajectory.samples is not None:
        arrays += [trajectory.samples.file_name.astype(str), trajectory.samples.camid.astype(str)]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    assert isinstance(trajectory.mean_logits, FactoredLogits)
    for folder in trajectory.mean_logits.folders:
        for name in ("features", "weight", "bias"):
            about = (Path(folder) / f"{name}.npy").stat()
            digest.update(repr((about.st_size, about.st_mtime_ns)).encode())
    return digest.hexdigest()
