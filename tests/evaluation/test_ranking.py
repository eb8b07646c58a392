"""evaluate_ranking against a brute force in whole-number arithmetic, and its contract."""

import numpy as np
import pytest
from brute_force import brute_force

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.evaluation import evaluate_ranking


def retrieval(num_queries=30, num_gallery=200, width=16, num_ids=12, num_cams=4, seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(num_ids, width))
    query_ids, gallery_ids = (
        rng.integers(num_ids, size=num_queries),
        rng.integers(-1, num_ids, size=num_gallery),
    )
    return (
        (centres[query_ids] + noise * rng.normal(size=(num_queries, width))).astype(np.float32),
        (centres[gallery_ids] + noise * rng.normal(size=(num_gallery, width))).astype(np.float32),
        query_ids,
        gallery_ids,
        rng.integers(num_cams, size=num_queries),
        rng.integers(num_cams, size=num_gallery),
    )


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("noise", [0.3, 1.0, 3.0])
def test_agrees_with_brute_force(metric, noise):
    data = retrieval(noise=noise)
    result, expected = evaluate_ranking(*data, metric=metric), brute_force(*data, metric=metric)
    np.testing.assert_allclose(result.average_precisions, expected.average_precisions, atol=1e-12)
    np.testing.assert_array_equal(result.first_ranks, expected.first_ranks)
    np.testing.assert_allclose(result.mINP, expected.mINP, atol=1e-12)
    assert result.num_skipped == expected.num_skipped


def test_cmc_is_the_share_of_queries_found_by_rank_k():
    result = evaluate_ranking(*retrieval(), ranks=(1, 3, 70))
    assert len(result.cmc) == 70
    assert [result.rank(k) for k in (1, 3, 70, 1000)] == [
        np.mean(result.first_ranks <= k) for k in (1, 3, 70, 1000)
    ]
    assert list(result.summary()) == ["Rank-1", "Rank-3", "Rank-70", "mAP", "mINP", "metric"]


def test_names_the_row_that_is_not_finite():
    data = list(retrieval())
    data[1][17, 3] = np.nan
    with pytest.raises(FastreidPruneError, match="gallery_features: row 17 holds NaN"):
        evaluate_ranking(*data)


def test_refuses_labels_of_another_length():
    data = list(retrieval())
    data[3] = data[3][:-1]
    with pytest.raises(FastreidPruneError, match=r"gallery_ids: expected one entry for each of the 200 rows"):
        evaluate_ranking(*data)


def test_refuses_features_of_two_widths():
    data = list(retrieval())
    data[1] = data[1][:, :-1]
    with pytest.raises(FastreidPruneError, match="width 16, gallery_features 15"):
        evaluate_ranking(*data)


def test_says_when_no_query_can_match():
    data = list(retrieval())
    data[2] = data[2] + 1000
    with pytest.raises(FastreidPruneError, match="None of the 30 queries"):
        evaluate_ranking(*data)
