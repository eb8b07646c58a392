import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special, stats

from fastreid_prune.purify.soft_labels import log_softmax, rows_of, soft_label_summary


def test_the_summary_is_scipys(from_logits):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(90, 7)) * rng.uniform(0, 20, (90, 1))
    labels = np.arange(90) % 7
    summary = soft_label_summary(from_logits(logits, labels))
    soft = special.softmax(logits, axis=1)
    order = np.argsort(-soft, axis=1)
    np.testing.assert_allclose(summary.entropy, stats.entropy(soft, axis=1), atol=1e-5)
    np.testing.assert_array_equal(summary.best, order[:, 0])
    np.testing.assert_array_equal(summary.second, order[:, 1])
    np.testing.assert_allclose(summary.best_probability, soft.max(1), atol=1e-6)
    np.testing.assert_allclose(summary.given_probability, soft[np.arange(90), labels], atol=1e-6)


def test_even_logits_have_the_highest_entropy_there_is(from_logits):
    summary = soft_label_summary(from_logits(np.zeros((5, 5)), np.arange(5)))
    np.testing.assert_allclose(summary.entropy, np.log(5), rtol=1e-6)
    assert (summary.best != summary.second).all()


def test_of_a_sample_never_visited_nothing_is_known(from_logits):
    logits = np.ones((6, 3))
    logits[4] = np.nan
    summary = soft_label_summary(from_logits(logits, np.arange(6) % 3))
    assert np.flatnonzero(np.isnan(summary.entropy)).tolist() == [4]
    assert np.isnan(summary.best_probability[4]) and np.isnan(summary.given_probability[4])
    assert summary.best[4] == summary.second[4] == 0


@given(arrays(np.float64, (4, 6), elements=st.floats(-1e4, 1e4)))
def test_log_softmax_is_scipys(values):
    np.testing.assert_allclose(log_softmax(values), special.log_softmax(values, axis=1), atol=1e-9)


class Lazy:
    """Rows that are computed when a slice of them is read, and in no other way."""

    def __init__(self, array):
        self.array, self.shape = array, array.shape

    def __getitem__(self, rows):
        assert isinstance(rows, slice)
        return self.array[rows]


def test_chosen_rows_of_arrays_and_of_what_gives_slices_only():
    array = np.arange(30, dtype=np.float32).reshape(10, 3)
    chosen = np.array([7, 0, 7, 3])
    for rows in (array, Lazy(array)):
        found = rows_of(rows, chosen)
        np.testing.assert_array_equal(found, array[chosen])
        assert found.dtype == np.float32
    # the caller may write into what it got
    found[:] = 0
    assert array.any()
