"""fastreid_prune: a re-identification training set made smaller and cleaner.

The names below are the public API. They are imported when first used, so that the parts which need neither
fastreid nor a GPU stay light.
"""

import importlib
from typing import Any

from fastreid_prune.version import __version__

# public name -> (module, attribute); attribute None: the module itself
_PUBLIC: dict[str, tuple[str, str | None]] = {
    "register": ("fastreid_prune.plugin", "register"),
    "LogitRecorder": ("fastreid_prune.trajectory.recorder", "LogitRecorder"),
    "load_trajectory": ("fastreid_prune.trajectory.store", "load_trajectory"),
    "IndexedDataset": ("fastreid_prune.purify.indexed_dataset", "IndexedDataset"),
    "inject_label_noise": ("fastreid_prune.purify.injecting", "inject_label_noise"),
    "Samples": ("fastreid_prune.trajectory.samples", "Samples"),
    "ScoredRun": ("fastreid_prune.api.scored_run", "ScoredRun"),
    "Manifest": ("fastreid_prune.manifest", "Manifest"),
    "scores": ("fastreid_prune.scores", None),
    "selection": ("fastreid_prune.selection", None),
    "purify": ("fastreid_prune.purify", None),
    "evaluation": ("fastreid_prune.evaluation", None),
    "FastreidPruneError": ("fastreid_prune.errors", "FastreidPruneError"),
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'fastreid_prune' has no attribute {name!r}")
    module, attribute = _PUBLIC[name]
    loaded = importlib.import_module(module)
    return loaded if attribute is None else getattr(loaded, attribute)


def __dir__() -> list[str]:
    return __all__
