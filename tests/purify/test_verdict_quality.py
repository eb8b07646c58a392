import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from fastreid_prune.purify.metrics import average_precision, quality, reliability
from fastreid_prune.scored_run.verdicts import Verdicts


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=1, max_size=60))
def test_average_precision_is_scikit_learns_with_ties(rows):
    positive, score = np.array([row[0] for row in rows]), np.array([row[1] / 6 for row in rows])
    if not positive.any():
        assert np.isnan(average_precision(positive, score))
    else:
        assert average_precision(positive, score) == pytest.approx(average_precision_score(positive, score))


def test_without_scores_there_is_no_average_precision():
    assert np.isnan(average_precision(np.array([True, False]), None))


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=50))
def test_reliability_bins_hold_every_verdict_once(rows):
    confidence, right = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], bool)
    bins = reliability(confidence, right)
    assert sum(count for _, _, count in bins) == len(rows)
    assert sum(mean * count for mean, _, count in bins) == pytest.approx(confidence.sum())
    assert sum(share * count for _, share, count in bins) == pytest.approx(right.sum())
    # no two bins overlap, and each is a tenth wide
    assert all(int(low[0] * 10) < 10 * high[0] for low, high in zip(bins, bins[1:], strict=False))


def verdicts_of(verdict, suggested, confidence):
    empty = np.full(len(verdict), "", object)
    columns = (
        np.array(verdict, object),
        np.array(suggested, object),
        empty,
        np.array(confidence, float),
        empty,
    )
    return Verdicts(*columns)


def test_every_figure_on_hand_made_verdicts():
    told = [*["mislabelled"] * 3, *["outlier"] * 3, *["clean"] * 3, ""]
    suggested = ["a", "b", "a", *[""] * 7]
    sure = [0.9, 0.8, 0.7, 1.0, 0.6, 0.5, 0.9, 0.9, 0.9, np.nan]
    #        right name, wrong name, clean, outlier, wrong label, clean, wrong label, outlier, clean, clean
    wrong = np.array([1, 1, 0, 0, 1, 0, 1, 0, 0, 0], bool)
    outlier = np.array([0, 0, 0, 1, 0, 0, 0, 1, 0, 0], bool)
    shown = np.array(["a", "c", "z", "", "a", "z", "a", "", "z", "z"], object)
    found = quality(verdicts_of(told, suggested, sure), wrong, outlier, shown)
    assert found.precision == 2 / 3 and found.recall == 2 / 4
    assert found.relabel_precision == 1 / 3 and found.relabelled == 1 / 4
    assert found.outlier_precision == 2 / 3 and found.outlier_recall == 1 / 2
    # mended: the right name, the outlier thrown, the wrong label thrown
    assert found.errors_mended == 3 / 6 and found.clean_altered == 2 / 4
    right = np.array([1, 0, 0, 1, 1, 0])
    assert found.brier == pytest.approx(((np.array(sure[:6]) - right) ** 2).mean())
    assert found.counts == {"clean": 4, "wrong label": 4, "outlier": 2}
    assert np.isnan(found.wrong_label_ap) and np.isnan(found.outlier_ap)


def test_nothing_flagged_is_nan_not_an_error():
    none = np.zeros(3, bool)
    found = quality(verdicts_of(["clean"] * 3, [""] * 3, [0.9] * 3), none, none, np.array(["a"] * 3, object))
    assert np.isnan([found.precision, found.recall, found.outlier_recall, found.brier]).all()
    assert found.clean_altered == 0 and found.reliability == []
    assert all(isinstance(cell, str) for row in found.rows() for cell in row)


def test_perfect_verdicts_are_perfect():
    wrong, outlier = np.array([True, False, False]), np.array([False, True, False])
    shown = np.array(["b", "", "a"], object)
    told = verdicts_of(["mislabelled", "outlier", "clean"], ["b", "", ""], [1, 1, 1])
    found = quality(told, wrong, outlier, shown, wrong.astype(float), outlier.astype(float))
    ones = (found.wrong_label_ap, found.outlier_ap, found.precision, found.relabelled, found.errors_mended)
    assert ones == (1, 1, 1, 1, 1) and found.brier == 0 and found.reliability == [(1.0, 1.0, 2)]
