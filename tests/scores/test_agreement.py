import numpy as np
from scipy.stats import spearmanr

from fastreid_prune.scores.agreement import found_among_hardest, rank_correlations


def test_rank_correlations_are_spearmans_with_ties_and_without_nan():
    rng = np.random.default_rng(0)
    scores = [rng.integers(0, 6, 200).astype(float), rng.normal(size=200), rng.normal(size=200)]
    scores[2] += scores[0]
    expected = spearmanr(np.array(scores).T).statistic
    np.testing.assert_allclose(rank_correlations(scores), expected, atol=1e-12)
    holes = [np.append(score, [np.nan, 9]) for score in scores]
    holes[1][-1] = np.nan
    np.testing.assert_allclose(rank_correlations(holes), expected, atol=1e-12)


def test_what_is_found_among_the_hardest_is_counted_and_ties_are_shared_out():
    wanted = np.array([True, True, False, False, False, True, False, False, False, False])
    assert found_among_hardest(np.arange(10.0)[::-1], wanted, 0.3) == 2
    # two of the three places are left for a tie of four samples, one of which is wanted
    tied = np.array([9, 1, 5, 5, 5, 5, 0, 0, 0, np.nan])
    assert found_among_hardest(tied, wanted, 0.3) == 1 + 2 / 4
    assert found_among_hardest(tied, wanted, 0.0) == 0


def test_all_orders_of_a_tie_give_the_expected_count_on_average():
    rng = np.random.default_rng(1)
    scores, wanted = rng.integers(0, 3, 50).astype(float), rng.random(50) < 0.3
    counts = []
    for _ in range(3000):
        order = rng.permutation(50)
        hardest = order[np.argsort(-scores[order], kind="stable")][:10]
        counts.append(wanted[hardest].sum())
    assert abs(np.mean(counts) - found_among_hardest(scores, wanted, 0.2)) < 0.1
