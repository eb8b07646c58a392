"""The published file that says, for every sample of a data set, whether it stays and under which identity."""

from fastreid_prune.manifest.columns import ACTIONS, COLUMNS, KEEP, OUTLIER, PRUNE, RELABEL
from fastreid_prune.manifest.manifest import Manifest
from fastreid_prune.manifest.run_manifest import PruneSummary, prune_run
from fastreid_prune.manifest.sidecar import SCHEMA_VERSION

__all__ = [
    "ACTIONS",
    "COLUMNS",
    "KEEP",
    "OUTLIER",
    "PRUNE",
    "RELABEL",
    "SCHEMA_VERSION",
    "Manifest",
    "PruneSummary",
    "prune_run",
]
