"""Features from anywhere: a NumPy archive with six arrays."""

import os
import zipfile
from collections.abc import Sequence

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.evaluation.ranking import Ranking, evaluate_ranking
from fastreid_prune.evaluation.rerank import Reranking

ARRAYS = ("query_features", "gallery_features", "query_ids", "gallery_ids", "query_cams", "gallery_cams")
RECIPE = f"Write it with numpy.savez(path, {', '.join(f'{name}=...' for name in ARRAYS)})."


def load_retrieval(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The arrays of an ``.npz`` file, by name: the arguments of ``evaluate_ranking``.

    Raises:
        FastreidPruneError: the file is missing, is no such archive, or lacks an array.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise FastreidPruneError(f"{path}: holds one array, expected an archive of six. {RECIPE}")
            if missing := [name for name in ARRAYS if name not in archive.files]:
                raise FastreidPruneError(
                    f"{path}: no array {', '.join(missing)}; found {', '.join(archive.files) or 'none'}. {RECIPE}"
                )
            return {name: _read(path, archive, name) for name in ARRAYS}
    except FileNotFoundError as error:
        raise FastreidPruneError(f"{path}: no such file.") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise FastreidPruneError(f"{path}: cannot be read as a NumPy archive ({error}). {RECIPE}") from error


def evaluate_archive(
    path: str | os.PathLike,
    metric: str = "cosine",
    ranks: Sequence[int] = (1, 5, 10),
    *,
    protocol: str = "market1501",
    rerank: Reranking | None = None,
    seed: int = 0,
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
            progress=progress,
        )
    except FastreidPruneError as error:
        raise FastreidPruneError(f"{path}: {error}") from error


def _read(path: str | os.PathLike, archive: np.lib.npyio.NpzFile, name: str) -> np.ndarray:
    try:
        return archive[name]
    except ValueError as error:
        raise FastreidPruneError(
            f"{path}: array {name} cannot be read ({error}). Lists of strings: numpy.array(names, dtype=str)."
        ) from error
