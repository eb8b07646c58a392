"""Each method against its definition, written out for one sample at a time on whole logits [T, N, C]."""

import numpy as np
import pytest
import torch
from scipy.special import softmax
from scipy.stats import entropy as scipy_entropy
from sklearn.metrics.pairwise import cosine_distances

from fastreid_prune import scores
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.scores.entropy import entropy_of_logits
from fastreid_prune.trajectory import LogitRecorder

T, N, C, D = 6, 50, 8, 5
RNG = np.random.default_rng(0)
LABELS = RNG.integers(C, size=N)
FEATURES = RNG.normal(size=(N, D)).astype(np.float32)
# learning: the given class rises, with noise large enough to forget and, for some samples, never to learn
LOGITS = RNG.normal(size=(T, N, C)) * 2
LOGITS[:, np.arange(N), LABELS] += np.linspace(-1, 3, T)[:, None] - 4 * (np.arange(N) % 5 == 0)
LOGITS = LOGITS.astype(np.float32)


@pytest.fixture(scope="module")
def trajectory():
    return record(LOGITS)


def record(logits, seen=None):
    recorder = LogitRecorder(N, C)
    for t, epoch in enumerate(logits):
        rows = np.arange(N) if seen is None else np.flatnonzero(seen[t])
        rows = torch.from_numpy(rows)
        z = torch.from_numpy(epoch)[rows]
        recorder.update(rows, z, torch.from_numpy(LABELS)[rows], torch.from_numpy(FEATURES)[rows])
        recorder.end_epoch()
    return recorder.trajectory()


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_entropy_is_that_of_the_softmax_of_the_mean_logits_in_nats(trajectory):
    close(
        scores.compute(trajectory, "entropy"),
        scipy_entropy(softmax(LOGITS.astype(float).mean(0), axis=1), axis=1),
    )


def test_entropy_reaches_from_zero_to_the_logarithm_of_the_number_of_classes():
    logits = np.zeros((3, 751), dtype=np.float32)
    logits[1, 7] = 200
    logits[2, :2] = 200
    np.testing.assert_allclose(entropy_of_logits(logits), [np.log(751), 0, np.log(2)], atol=1e-6)


def test_entropy_ranks_even_the_easiest_samples():
    margins = np.array([20, 25, 30, 40, 60, 80], dtype=np.float64)
    logits = np.zeros((len(margins), 3), dtype=np.float32)
    logits[:, 1] = margins
    r = 2 * np.exp(-margins)
    exact = np.log1p(r) + margins * r / (1 + r)
    np.testing.assert_allclose(entropy_of_logits(logits), exact, rtol=1e-6)


def test_entropy_of_rows_never_visited_is_nan():
    logits = np.zeros((3, 4), dtype=np.float32)
    logits[1] = np.nan
    assert np.isnan(entropy_of_logits(logits)).tolist() == [False, True, False]


def test_forgetting_counts_events_and_ranks_never_learnt_hardest(trajectory):
    right = LOGITS.argmax(2) == LABELS
    events = (right[:-1] & ~right[1:]).sum(0)
    never = ~right.any(0)
    assert never.any() and len(set(events.tolist())) > 2
    found = scores.compute(trajectory, "forgetting")
    np.testing.assert_array_equal(found[~never], events[~never])
    assert set(found[never]) == {events.max() + 1}


@pytest.mark.parametrize("epoch", [0, 2, T - 1, -2])
def test_el2n_is_the_length_of_the_error_vector_at_an_epoch(trajectory, epoch):
    error = softmax(LOGITS[epoch].astype(float), axis=1) - np.eye(C)[LABELS]
    close(scores.compute(trajectory, "el2n", epoch=epoch), np.linalg.norm(error, axis=1))


def test_el2n_is_of_the_last_epoch_unless_said(trajectory):
    np.testing.assert_array_equal(
        scores.compute(trajectory, "el2n"), scores.compute(trajectory, "el2n", epoch=T - 1)
    )
    with pytest.raises(FastreidPruneError, match="no epoch 6; the run has 6, from 0 to 5"):
        scores.compute(trajectory, "el2n", epoch=6)


def test_prototypes_is_the_cosine_distance_to_the_mean_direction_of_the_class(trajectory):
    unit = FEATURES / np.linalg.norm(FEATURES, axis=1, keepdims=True)
    centres = np.array([unit[LABELS == c].mean(0) for c in range(C)])
    close(scores.compute(trajectory, "prototypes"), cosine_distances(unit, centres)[np.arange(N), LABELS])


def test_prototypes_without_features_is_refused(trajectory):
    recorder = LogitRecorder(2, 2)
    recorder.update(torch.arange(2), torch.zeros(2, 2), torch.arange(2))
    recorder.end_epoch()
    with pytest.raises(FastreidPruneError, match="no features"):
        scores.compute(recorder.trajectory(), "prototypes")


@pytest.mark.parametrize("decay", [0, 0.5, 0.8])
def test_moving_average_loss_is_the_smoothed_cross_entropy(trajectory, decay):
    losses = np.array(
        [
            torch.nn.functional.cross_entropy(
                torch.from_numpy(z), torch.from_numpy(LABELS), reduction="none"
            ).numpy()
            for z in LOGITS
        ]
    )
    average = losses[0]
    for loss in losses[1:]:
        average = decay * average + (1 - decay) * loss
    close(scores.compute(trajectory, "moving_average_loss", decay=decay), average)
    with pytest.raises(FastreidPruneError, match="decay 1.0, expected"):
        scores.compute(trajectory, "moving_average_loss", decay=1.0)


def test_aum_is_minus_the_mean_margin(trajectory):
    own = LOGITS[:, np.arange(N), LABELS]
    others = LOGITS.copy()
    others[:, np.arange(N), LABELS] = -np.inf
    close(scores.compute(trajectory, "aum"), -(own - others.max(2)).mean(0))


def test_random_is_uniform_repeatable_and_changes_with_the_seed(trajectory):
    first = scores.compute(trajectory, "random", seed=1)
    np.testing.assert_array_equal(first, scores.compute(trajectory, "random", seed=1))
    assert not np.array_equal(first, scores.compute(trajectory, "random", seed=2))
    assert first.min() >= 0 and first.max() < 1


def test_epochs_without_a_visit_say_nothing(trajectory):
    seen = np.random.default_rng(3).random((T, N)) < 0.6
    seen[:, 0] = False
    seen[0, 1:3] = True
    partial = record(LOGITS, seen)
    # tdds needs the logits of every epoch
    for method in set(scores.available()) - {"tdds"}:
        found = scores.compute(partial, method)
        assert np.isnan(found[0]) == (method != "random") and not np.isnan(found[1:]).any()
        for i in range(1, 12):
            if method in ("forgetting", "prototypes", "random", "dyn_unc"):
                continue
            # the sample's own epochs, and no others, recorded for everyone
            alone = scores.compute(record(LOGITS[seen[:, i]]), method)
            np.testing.assert_allclose(found[i], alone[i], rtol=1e-5, atol=1e-6, err_msg=method)


def test_a_higher_score_is_harder_for_every_method():
    # sample 0 of each class is easy, sample 1 ambiguous, from the first epoch to the last
    recorder = LogitRecorder(4, 2)
    labels = torch.tensor([0, 0, 1, 1])
    for t in range(4):
        wobble = 0.1 if t % 2 else -0.1
        logits = torch.tensor([[6.0, 0], [wobble, 0], [0, 6.0], [0, wobble]])
        features = torch.tensor([[1.0, 0.1], [0.4, 0.6], [0.1, 1.0], [0.6, 0.4]])
        recorder.update(torch.arange(4), logits, labels, features)
        recorder.end_epoch()
    trajectory = recorder.trajectory()
    for method in set(scores.available()) - {"random", "prototypes", "tdds"}:
        score = scores.compute(trajectory, method)
        assert score[1] > score[0] and score[3] > score[2], method
