"""A retrieval as a user hands it over: checked, once, for every metric."""

import numpy as np

from fastreid_prune.evaluation.matches import Matches, check_labels
from fastreid_prune.evaluation.similarity import Similarity


def check_retrieval(
    query_features: np.ndarray,
    gallery_features: np.ndarray,
    query_ids: np.ndarray,
    gallery_ids: np.ndarray,
    query_cams: np.ndarray,
    gallery_cams: np.ndarray,
    metric: str,
) -> tuple[Similarity, Matches]:
    """The similarities and the matches of a retrieval; arguments and errors as in ``evaluate_ranking``."""
    similarity = Similarity(query_features, gallery_features, metric)
    num_queries, num_gallery = len(similarity.query), len(similarity.gallery)
    matches = Matches(
        check_labels(query_ids, "query_ids", "query_features", num_queries),
        check_labels(gallery_ids, "gallery_ids", "gallery_features", num_gallery),
        check_labels(query_cams, "query_cams", "query_features", num_queries),
        check_labels(gallery_cams, "gallery_cams", "gallery_features", num_gallery),
    )
    return similarity, matches
