"""VeRi's average precision, CUHK03's single gallery shot, re-ranking, expansion and ROC against references."""

import numpy as np
import pytest
from brute_force import brute_force, similarities
from sklearn.metrics import roc_curve

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.evaluation import Reranking, evaluate_ranking, evaluate_roc, expand
from fastreid_prune.evaluation.distances import Distances
from fastreid_prune.evaluation.rerank import Overlaps
from fastreid_prune.evaluation.similarity import Similarity


def retrieval(num_queries=25, num_gallery=160, width=8, num_ids=15, seed=0, decimals=None):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(num_ids, width))
    ids = rng.integers(num_ids, size=num_queries), rng.integers(-1, num_ids, size=num_gallery)
    features = [centres[i] + rng.normal(size=(len(i), width)) for i in ids]
    if decimals is not None:
        features = [x.round(decimals) for x in features]
    return *features, *ids, rng.integers(3, size=num_queries), rng.integers(3, size=num_gallery)


@pytest.mark.parametrize("decimals", [None, 0])
def test_veris_average_precision_is_the_area_under_straight_lines(decimals):
    data = retrieval(decimals=decimals)
    result = evaluate_ranking(*data, protocol="veri")
    np.testing.assert_allclose(result.average_precisions, brute_force(*data).trapezoids, rtol=1e-13)
    np.testing.assert_array_equal(result.cmc, evaluate_ranking(*data).cmc)


def test_veris_average_precision_by_hand():
    """Matches at ranks 1 and 4: (1 + (1/3 + 2/4) / 2) / 2."""
    gallery = np.array([[1, 0.1], [1, 0.2], [1, 0.3], [1, 0.4], [1, 0.5]])
    result = evaluate_ranking(
        np.array([[1, 0.0]]), gallery, [7], [7, 1, 2, 7, 3], [0], [1] * 5, protocol="veri"
    )
    assert result.mAP == pytest.approx((1 + (1 / 3 + 2 / 4) / 2) / 2)


def test_single_gallery_shot_with_one_image_an_identity_is_the_plain_cmc():
    rng = np.random.default_rng(0)
    query, gallery = rng.normal(size=(12, 5)), rng.normal(size=(12, 5))
    data = (query, gallery, np.arange(12), rng.permutation(12), np.zeros(12, int), np.ones(12, int))
    np.testing.assert_allclose(
        evaluate_ranking(*data, protocol="cuhk03").cmc, evaluate_ranking(*data).cmc, rtol=1e-15
    )


def test_single_gallery_shot_draws_one_image_of_each_identity():
    """The mean over many seeds is the expectation over all draws."""
    data = retrieval(num_queries=6, num_gallery=60, num_ids=6)
    ranks = np.concatenate(
        [evaluate_ranking(*data, protocol="cuhk03", seed=seed).first_ranks for seed in range(150)], axis=1
    )
    scores = np.array(similarities(data[0], data[1], "cosine"), dtype=float)
    for place, query in enumerate(evaluate_ranking(*data).evaluated):
        own = (data[3] == data[2][query]) & (data[5] != data[4][query])
        first = np.mean(
            [
                np.prod(
                    [
                        np.mean(scores[query][data[3] == other] < score)
                        for other in set(data[3].tolist()) - {-1, data[2][query]}
                    ]
                )
                for score in scores[query][own]
            ]
        )
        assert np.mean(ranks[place] == 1) == pytest.approx(first, abs=0.07)


def test_single_gallery_shot_follows_its_seed():
    data = retrieval()
    first, again, other = (
        evaluate_ranking(*data, protocol="cuhk03", seed=seed).first_ranks for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_unknown_protocols_are_refused():
    with pytest.raises(FastreidPruneError, match="protocol: expected one of market1501, veri, cuhk03"):
        evaluate_ranking(*retrieval(), protocol="oxford")


def jaccard_by_sets(query, gallery, k1, k2):
    """[Q, G] distances, with sets and dense vectors, one sample at a time."""
    features = np.concatenate([query, gallery])
    features = features / np.linalg.norm(features, axis=1, keepdims=True)
    squared = 2 - 2 * features @ features.T
    order = np.argsort(squared, axis=1, kind="stable")

    def reciprocal(i, k):
        return {j for j in order[i, :k] if i in order[j, :k]}

    weights = np.zeros(squared.shape)
    for i in range(len(features)):
        near = reciprocal(i, k1)
        members = set(near)
        for j in near:
            close = reciprocal(j, min(k1, round(k1 / 2) + 1))
            if len(close & near) > 2 / 3 * len(close):
                members |= close
        members = sorted(members)
        weights[i, members] = np.exp(-squared[i, members]) / np.exp(-squared[i, members]).sum()
    weights = np.array([weights[order[i, :k2]].mean(axis=0) for i in range(len(features))])
    first, second = weights[: len(query), None], weights[None, len(query) :]
    return 1 - np.minimum(first, second).sum(axis=2) / np.maximum(first, second).sum(axis=2)


@pytest.mark.parametrize(("k1", "k2"), [(20, 6), (7, 1), (5, 3)])
def test_overlaps_are_those_of_sets(k1, k2):
    query, gallery = retrieval()[:2]
    overlaps = Overlaps(query, gallery, "cosine", Reranking(k1, k2)).rows(slice(0, len(query)))
    np.testing.assert_allclose(1 - overlaps.toarray(), jaccard_by_sets(query, gallery, k1, k2), atol=1e-6)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("rerank", [None, Reranking(), Reranking(500, 500, 0.5)])
def test_a_pair_has_one_distance(metric, rerank):
    query, gallery = retrieval(decimals=0)[:2]
    distances = Distances(Similarity(query, gallery, metric), rerank).of(slice(3, 20))
    tile = distances.tile(slice(5, 160))
    rows, columns = np.indices(tile.shape).reshape(2, -1)
    np.testing.assert_array_equal(distances.pairs(rows, columns + 5), tile.ravel())


def test_reranking_with_all_weight_on_the_metric_changes_nothing():
    data = retrieval(decimals=1)
    reranked = evaluate_ranking(*data, rerank=Reranking(share=1.0))
    np.testing.assert_array_equal(reranked.average_precisions, evaluate_ranking(*data).average_precisions)


def test_reranking_takes_many_duplicates():
    query, gallery, *labels = retrieval()
    gallery[:100] = gallery[0]
    result = evaluate_ranking(query, gallery, *labels, rerank=Reranking())
    assert 0 < result.mAP < 1


def test_reranking_options_are_checked():
    with pytest.raises(FastreidPruneError, match="lambda in"):
        Reranking(share=1.5)


def test_expansion_is_a_weighted_mean_of_the_nearest():
    features = retrieval()[1]
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    cosine = unit @ unit.T
    expected = [
        np.mean(cosine[i, nearest, None] ** 3 * features[nearest], axis=0)
        for i, nearest in enumerate(np.argsort(-cosine, axis=1)[:, :5])
    ]
    np.testing.assert_allclose(expand(features, k=5, alpha=3.0), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("decimals", [None, 0])
@pytest.mark.parametrize("seed", range(4))
def test_roc_is_that_of_scikit_learn(metric, decimals, seed):
    data = retrieval(num_queries=40, num_gallery=400, seed=seed, decimals=decimals)
    distance = Distances(Similarity(data[0], data[1], metric)).of(slice(0, 40)).tile(slice(0, 400))
    same = data[2][:, None] == data[3]
    kept = ~(same & (data[4][:, None] == data[5])) & (data[3] != -1)
    fprs, tprs, _ = roc_curve(~same[kept], distance[kept])
    rates = (1e-3, 1e-2, 0.1, 0.5)
    expected = {rate: tprs[np.argmin(np.abs(fprs - rate))] for rate in rates}
    assert evaluate_roc(*data, metric=metric, fprs=rates) == pytest.approx(expected, abs=1e-12)
