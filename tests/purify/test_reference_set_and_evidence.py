"""What samples are judged against, and the pieces of evidence, one by one."""

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.metrics import roc_auc_score

from fastreid_prune.purify.evidence import COLUMNS, weigh
from fastreid_prune.purify.reference_set import build_reference_set
from fastreid_prune.scored_run.injected import InjectedErrors


@pytest.fixture(scope="module")
def scene_of(noisy):
    """The run, its trajectory, what was planted, the reference, and the evidence against the given labels."""
    run, _ = noisy
    planted = InjectedErrors.of(run.trajectory)
    reference = build_reference_set(run.trajectory, planted.label, planted.dataset_rows)
    return run, planted, reference, weigh(run.trajectory, reference, planted.label)


def column(evidence, name):
    return evidence.columns[:, COLUMNS.index(name)]


def test_who_has_a_wrong_label_is_trusted_less(scene_of):
    run, planted, reference, _ = scene_of
    label_confidence = reference.label_confidence[planted.dataset_rows]
    fair = ~run.outlier
    assert roc_auc_score(run.wrong[fair], -label_confidence[fair]) > 0.97
    assert label_confidence.min() > 0 and label_confidence.max() <= 1


def test_composed_images_have_no_say(scene_of):
    _, planted, reference, _ = scene_of
    assert (reference.label_confidence[planted.composed] == 0).all()
    for neighbours in (reference.neighbours, reference.plain_neighbours):
        assert planted.dataset_rows[neighbours.index].all()


def test_soft_label_evidence_is_scipys(scene_of):
    run, planted, _, evidence = scene_of
    soft = log_softmax(np.asarray(run.trajectory.mean_logits, np.float64), axis=1)
    place = np.arange(len(soft))
    np.testing.assert_allclose(column(evidence, "sure"), np.exp(soft[place, evidence.suggested]), atol=1e-5)
    own = soft[place, planted.label].copy()
    soft[place, planted.label] = -np.inf
    np.testing.assert_allclose(column(evidence, "soft"), soft.max(1) - own, atol=1e-4)


def test_likeness_is_measured_through_the_samples_own_view(scene_of):
    _, planted, reference, evidence = scene_of
    for row in range(0, len(planted.label), 97):
        view = reference.views[reference.fold[row]]
        like = view.similarities(reference.features[row : row + 1])[0]
        difference = like[evidence.suggested[row]] - like[planted.label[row]]
        assert column(evidence, "likeness")[row] == pytest.approx(difference, abs=1e-5)
        assert column(evidence, "given_likeness")[row] == pytest.approx(like[planted.label[row]], abs=1e-5)


def test_shares_of_the_votes_are_shares(scene_of):
    _, _, _, evidence = scene_of
    won, held, agreed = (column(evidence, name) for name in ("suggested_vote", "given_vote", "agreed"))
    assert (won >= 0).all() and (held >= 0).all() and (won + held <= 1 + 1e-5).all()
    assert (agreed >= won**2 + held**2 - 1e-5).all() and (agreed <= 1 + 1e-5).all()


def test_the_person_shown_is_suggested(scene_of):
    run, planted, _, evidence = scene_of
    names = np.array(run.trajectory.samples.class_names, object)
    suggested = names[evidence.suggested][planted.dataset_rows]
    rows = run.wrong & ~run.switched
    assert (suggested[rows] == run.shown[rows]).mean() > 0.95
    assert (evidence.suggested != planted.label).all() and (evidence.runner_up != planted.label).all()
    assert (evidence.suggested != evidence.runner_up).all() and evidence.seen.all()


def test_a_barred_class_is_not_suggested(scene_of):
    run, planted, reference, evidence = scene_of
    rows = np.flatnonzero(planted.dataset_rows)[::50]
    barred = evidence.suggested[rows]
    again = weigh(run.trajectory, reference, planted.label[rows], rows, barred=barred)
    assert (again.suggested != barred).all() and (again.suggested != planted.label[rows]).all()


def test_some_rows_have_the_evidence_that_they_have_among_all(scene_of):
    run, planted, reference, evidence = scene_of
    rows = np.random.default_rng(0).permutation(len(planted.label))[:40]
    some = weigh(run.trajectory, reference, planted.label[rows], rows)
    np.testing.assert_allclose(some.columns, evidence.columns[rows], atol=1e-4)
    np.testing.assert_array_equal(some.suggested, evidence.suggested[rows])


@pytest.mark.parametrize("name", ["soft", "likeness"])
def test_each_sign_alone_tells_wrong_labels_from_right_ones(scene_of, name):
    run, planted, _, evidence = scene_of
    fair = ~run.outlier & ~run.switched
    assert roc_auc_score(run.wrong[fair], column(evidence, name)[planted.dataset_rows][fair]) > 0.9
