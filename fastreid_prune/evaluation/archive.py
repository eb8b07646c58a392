"""Features from anywhere: a NumPy archive with six arrays."""

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.evaluation.ranking import Ranking, evaluate_ranking
from fastreid_prune.evaluation.rerank import Reranking
from fastreid_prune.io.zips import ZIP_ERRORS

ARRAYS = ("query_features", "gallery_features", "query_ids", "gallery_ids", "query_cams", "gallery_cams")
RECIPE = f"Write it with numpy.savez(path, {', '.join(f'{name}=...' for name in ARRAYS)})."


def load_retrieval(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The arrays of an ``.npz`` file, by name: the arguments of ``evaluate_ranking``.

    Raises:
        FastreidPruneError: the file is missing, is no such archive, or lacks an array.
    """
    if not Path(path).is_file():
        raise FastreidPruneError(f"{path}: no such file.")
    if not zipfile.is_zipfile(path):
        raise FastreidPruneError(f"{path}: not a NumPy archive (.npz), or a cut-off one. {RECIPE}")
    try:
        archive = np.load(path, allow_pickle=False)
    except ZIP_ERRORS as error:
        raise FastreidPruneError(f"{path}: a damaged archive ({error!s:.200}). Copy it again.") from None
    with archive:
        if missing := [name for name in ARRAYS if name not in archive.files]:
            found = ", ".join(archive.files) or "none"
            raise FastreidPruneError(f"{path}: no array {', '.join(missing)}; found {found:.300}. {RECIPE}")
        return {name: _read(path, archive, name) for name in ARRAYS}


def evaluate_archive(
    path: str | os.PathLike,
    metric: str = "cosine",
    ranks: Sequence[int] = (1, 5, 10),
    *,
    protocol: str = "market1501",
    rerank: Reranking | None = None,
    seed: int = 0,
    device: str = "auto",
    progress: bool = False,
) -> Ranking:
    """:func:`evaluate_ranking` of the features in an ``.npz`` file; errors name the file."""
    retrieval = load_retrieval(path)
    try:
        return evaluate_ranking(
            **retrieval,
            metric=metric,
            ranks=ranks,
            protocol=protocol,
            rerank=rerank,
            seed=seed,
            device=device,
            progress=progress,
        )
    except FastreidPruneError as error:
        raise FastreidPruneError(f"{path}: {error}") from error


def _read(path: str | os.PathLike, archive: np.lib.npyio.NpzFile, name: str) -> np.ndarray:
    try:
        return archive[name]
    except ZIP_ERRORS as error:
        raise FastreidPruneError(
            f"{path}: array {name} cannot be read ({error}). Plain numbers and strings are expected, "
            "such as numpy.array(names, dtype=str)."
        ) from error
