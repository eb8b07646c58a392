"""What each query of an evaluation found, by name: small enough to keep, enough to look at."""

import os
import zipfile
from dataclasses import dataclass, fields

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.evaluation.ranking import Ranking
from fastreid_prune.evaluation.search import nearest
from fastreid_prune.io.files import written_whole

JUNK = -1


@dataclass(frozen=True, eq=False)
class Retrieved:
    """The closest gallery images of Q queries, without those of the query's own identity and camera.

    Attributes:
        query: [Q] str, file names.
        query_id: [Q] integers or str.
        average_precision: [Q] float64 in [0, 1]; NaN where the gallery holds no match.
        nearest: [Q, K] int64, rows of ``gallery``, closest first; -1 where there are fewer.
        gallery: [G] str, the file names of the gallery images that are named anywhere.
        gallery_id: [G] integers or str.
        gallery_camera: [G] integers or str.
    """

    query: np.ndarray
    query_id: np.ndarray
    average_precision: np.ndarray
    nearest: np.ndarray
    gallery: np.ndarray
    gallery_id: np.ndarray
    gallery_camera: np.ndarray

    def right(self, row: int) -> list[bool]:
        """Whether each of the images that query ``row`` found shows its identity."""
        found = self.nearest[row]
        return (self.gallery_id[found[found >= 0]] == self.query_id[row]).tolist()

    def write(self, path: str | os.PathLike) -> None:
        """Write the ``.npz`` file that :meth:`read` reads."""
        with written_whole(path) as part, open(part, "wb") as file:
            np.savez_compressed(file, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def read(cls, path: str | os.PathLike) -> "Retrieved":
        """Read what an evaluation kept.

        Raises:
            FastreidPruneError: the file is missing or damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as archive:
                return cls(*(archive[field.name] for field in fields(cls)))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise FastreidPruneError(
                f"{path}: cannot be read ({error}). Evaluate again and keep what is retrieved, or remove it."
            ) from error


def retrieved(
    ranking: Ranking,
    query_features: np.ndarray,
    gallery_features: np.ndarray,
    query_ids: np.ndarray,
    gallery_ids: np.ndarray,
    query_cams: np.ndarray,
    gallery_cams: np.ndarray,
    query_names: list[str],
    gallery_names: list[str],
    count: int,
    metric: str = "cosine",
) -> Retrieved:
    """The ``count`` closest images of each query, of what :func:`evaluate_ranking` was given.

    Args:
        ranking: its result, for the average precisions.
        query_features, gallery_features, query_ids, gallery_ids, query_cams, gallery_cams: its arguments.
        query_names: Q file names.
        gallery_names: G file names.
        count: K, at least 1.
        metric: "cosine" or "euclidean".
    """
    real = np.flatnonzero(gallery_ids != JUNK)
    ids, cams = gallery_ids[real], gallery_cams[real]
    # more than K are asked for, since some are the query's own identity under its own camera
    _, group, size = np.unique(np.stack([ids, cams]), axis=1, return_inverse=True, return_counts=True)
    spare = int(size[group].max()) if len(real) else 0
    rows, _ = nearest(query_features, gallery_features[real], count + spare, metric)
    own = (ids[rows] == query_ids[:, None]) & (cams[rows] == query_cams[:, None])
    order = np.argsort(own, axis=1, kind="stable")[:, :count]
    found = np.where(np.take_along_axis(own, order, 1), -1, real[np.take_along_axis(rows, order, 1)])
    named, place = np.unique(found, return_inverse=True)
    place = place.reshape(found.shape)
    if named[0] == -1:
        named, place = named[1:], place - 1
    precision = np.full(len(query_ids), np.nan)
    precision[ranking.evaluated] = ranking.average_precisions
    return Retrieved(
        query=np.array(query_names, dtype=np.str_),
        query_id=np.asarray(query_ids),
        average_precision=precision,
        nearest=place,
        gallery=np.array(gallery_names, dtype=np.str_)[named],
        gallery_id=np.asarray(gallery_ids)[named],
        gallery_camera=np.asarray(gallery_cams)[named],
    )
