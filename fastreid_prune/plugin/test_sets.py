"""What only evaluation needs, looked at before the first epoch."""

import os
from typing import Any

from yacs.config import CfgNode

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin.images import decoding_errors
from fastreid_prune.plugin.items import Item
from fastreid_prune.plugin.on_disk import register_paths
from fastreid_prune.plugin.reading import data_root, explaining_reader, read_dataset

_ADVICE = "or train without evaluation: DATASETS.TESTS ()."


def check_test_sets(cfg: CfgNode) -> None:
    """Look at every test set that the training will be evaluated on.

    Raises:
        FastreidPruneError: a test set is unknown or not there, has no query or no gallery, no query of it has a match
            in another camera, or an image of it cannot be decoded.
    """
    register_paths(cfg)
    for name in cfg.DATASETS.TESTS:
        data = read_dataset(name, data_root(), "DATASETS.TESTS")
        with explaining_reader(name, data_root()):
            query, gallery = data.query, data.gallery
        for what, items in (("query", query), ("gallery", gallery)):
            if not items:
                raise FastreidPruneError(
                    f"DATASETS.TESTS: {name} has no {what} image in {os.path.abspath(data_root())}. Put them there, "
                    + _ADVICE
                )
        if not _can_be_measured(query, gallery):
            cameras = len({item[2] for item in [*query, *gallery]})
            raise FastreidPruneError(
                f"DATASETS.TESTS: no query of {name} has a gallery image of its identity in another camera ({cameras} "
                f"in all), so nothing can be measured. Give another test set, {_ADVICE}"
            )
        if cfg.PRUNE.CAPTURE.CHECK_IMAGES:
            _check_images(name, [item[0] for item in [*query, *gallery]])


def _can_be_measured(query: list[Item], gallery: list[Item]) -> bool:
    cameras: dict[Any, set[Any]] = {}
    for item in gallery:
        cameras.setdefault(item[1], set()).add(item[2])
    return any(cameras.get(item[1], set()) - {item[2]} for item in query)


def _check_images(name: str, paths: list[str]) -> None:
    errors = decoding_errors(paths, "checking test images")
    if errors:
        first = "; ".join(f"{paths[row]} ({errors[row]})" for row in sorted(errors)[:3])
        more = f" and {len(errors) - 3} more" if len(errors) > 3 else ""
        raise FastreidPruneError(
            f"DATASETS.TESTS: {len(errors)} of {len(paths)} images of {name} cannot be read: {first}{more}. Mend or "
            "remove them: without them it would be another test set."
        )
