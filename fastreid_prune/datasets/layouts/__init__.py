"""One file a layout; importing them registers them."""

from fastreid_prune.datasets.layouts import (
    flat,
    identity_folders,
    market1501,
    msmt17,
    table,
    vehicleid,
    veri,
    veriwild,
)

__all__ = ["flat", "identity_folders", "market1501", "msmt17", "table", "vehicleid", "veri", "veriwild"]
