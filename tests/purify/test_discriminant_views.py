import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastreid_prune.purify import discriminant
from fastreid_prune.purify.discriminant import NUM_FOLDS, class_sums, folds, unit, view_without

CLASSES, SIZE = 6, 8


@pytest.fixture
def labelled():
    rng = np.random.default_rng(0)
    label = np.arange(240) % CLASSES
    spread = np.linspace(0.2, 2, SIZE)
    features = (rng.normal(size=(CLASSES, SIZE))[label] + rng.normal(size=(240, SIZE)) * spread).astype(
        np.float32
    )
    return features, label, rng.random(240)


def test_unit_rows_have_length_one_and_zeros_stay():
    rows = unit(np.array([[3.0, 4], [0, 0], [-1e-3, 0]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 0], [-1, 0]])


@given(st.integers(0, 30), st.integers(0, 10**6))
def test_class_sums_are_those_of_a_loop(count, seed):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, 3)).astype(np.float32)
    label, weight = rng.integers(7, size=count), rng.random(count)
    expected = np.zeros((7, 3))
    np.add.at(expected, label, features * weight[:, None])
    np.testing.assert_allclose(class_sums(features, label, weight, 7), expected, atol=1e-5)


def test_whitening_makes_the_shrunk_scatter_within_classes_a_sphere(labelled):
    features, label, label_confidence = labelled
    view = view_without(features, label, label_confidence, np.zeros(240, bool), CLASSES)
    scatter = np.zeros((SIZE, SIZE))
    for one in range(CLASSES):
        own = label == one
        scatter += (
            np.cov(features[own].T, aweights=label_confidence[own], ddof=0) * label_confidence[own].sum()
        )
    scatter /= label_confidence.sum()
    shrunk = 0.8 * scatter + 0.2 * np.trace(scatter) / SIZE * np.eye(SIZE)
    np.testing.assert_allclose(view.whitening.T @ shrunk @ view.whitening, np.eye(SIZE), atol=1e-4)


def test_prototypes_are_the_weighted_mean_directions(labelled):
    features, label, label_confidence = labelled
    view = view_without(features, label, label_confidence, np.zeros(240, bool), CLASSES)
    whitened = features @ view.whitening
    whitened /= np.linalg.norm(whitened, axis=1, keepdims=True)
    for one in range(CLASSES):
        mean = np.average(whitened[label == one], axis=0, weights=label_confidence[label == one])
        np.testing.assert_allclose(view.prototypes[one], mean / np.linalg.norm(mean), atol=1e-5)
    expected = whitened @ view.prototypes.T
    np.testing.assert_allclose(view.similarities(features), expected, atol=1e-5)


def test_no_label_of_a_fold_argues_for_itself(labelled):
    features, label, label_confidence = labelled
    without = folds(240) == 2
    changed_label, changed_trust, changed = label.copy(), label_confidence.copy(), features.copy()
    changed_label[without] = (label[without] + 1) % CLASSES
    changed_trust[without] = 1
    changed[without] *= 5
    one = view_without(features, label, label_confidence, without, CLASSES)
    other = view_without(changed, changed_label, changed_trust, without, CLASSES)
    np.testing.assert_array_equal(one.whitening, other.whitening)
    np.testing.assert_array_equal(one.prototypes, other.prototypes)
    # while of a sample outside it does
    inside = np.flatnonzero(~without)[0]
    changed_label = label.copy()
    changed_label[inside] = (label[inside] + 1) % CLASSES
    assert not np.array_equal(
        one.prototypes, view_without(features, changed_label, label_confidence, without, CLASSES).prototypes
    )


def test_who_is_not_trusted_has_no_say(labelled):
    features, label, label_confidence = labelled
    label_confidence = np.where(np.arange(240) < 50, 0.0, label_confidence)
    wild = features.copy()
    wild[:50] *= 100
    nobody = np.zeros(240, bool)
    one, other = (view_without(some, label, label_confidence, nobody, CLASSES) for some in (features, wild))
    np.testing.assert_array_equal(one.whitening, other.whitening)


def test_a_class_of_nobody_is_similar_to_nothing(labelled):
    features, label, label_confidence = labelled
    view = view_without(features, label, label_confidence, np.zeros(240, bool), CLASSES + 1)
    assert (view.prototypes[CLASSES] == 0).all() and (view.similarities(features)[:, CLASSES] == 0).all()


def test_folds_are_even_and_always_the_same():
    sizes = np.bincount(folds(103))
    assert len(sizes) == NUM_FOLDS and sizes.max() - sizes.min() <= 1
    np.testing.assert_array_equal(folds(103), folds(103))


def test_class_sums_of_very_many_rows_are_those_of_few(monkeypatch):
    rng = np.random.default_rng(0)
    features, label = rng.normal(size=(300, 5)).astype(np.float32), rng.integers(40, size=300)
    weight = rng.random(300)
    few = discriminant.class_sums(features, label, weight, 50)
    monkeypatch.setattr(discriminant, "_SPARSE_FROM", 0)
    np.testing.assert_allclose(discriminant.class_sums(features, label, weight, 50), few, atol=1e-5)
