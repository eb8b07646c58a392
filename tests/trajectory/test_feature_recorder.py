import numpy as np
import pytest
import scipy
import torch
from trajectory_reference import assert_equal

from fastreid_prune import scores
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.scores.entropy import entropy_of_logits
from fastreid_prune.scores.factored_entropy import entropy_of_factors
from fastreid_prune.trajectory import FeatureRecorder, LogitRecorder, load_state, load_trajectory, save_state
from fastreid_prune.trajectory import factors as factors_module

N, C, D, T = 60, 23, 5, 3


def head(epoch):
    generator = torch.Generator().manual_seed(epoch)
    weight, bias = torch.randn(C, D, generator=generator), torch.randn(C, generator=generator)
    return weight, bias, torch.randn(N, D, generator=generator)


def clean_pass(recorder, epoch, rows=None):
    weight, bias, features = head(epoch)
    recorder.begin_epoch(weight, bias)
    for part in (torch.arange(N) if rows is None else rows).split(8):
        recorder.update(part, features[part], part % C)
    recorder.end_epoch()


def both_recorders(folder, rows=lambda epoch: torch.arange(N)):
    by_features, by_logits = FeatureRecorder(N, C, folder), LogitRecorder(N, C)
    for epoch in range(T):
        weight, bias, features = head(epoch)
        clean_pass(by_features, epoch, rows(epoch))
        index = rows(epoch)
        logits = features[index] @ weight.T + bias
        by_logits.update(index, logits, index % C, features[index])
        by_logits.end_epoch()
    return by_features, by_logits


def test_features_and_weights_give_the_mean_logits_of_recorded_logits(tmp_path, monkeypatch):
    by_features, by_logits = both_recorders(tmp_path)
    # several tiles of rows and of classes, with a rest
    monkeypatch.setattr(factors_module, "_TILE_ROWS", 16)
    monkeypatch.setattr(factors_module, "_TILE_CLASSES", 7)
    by_features.save({"mode": "eval"})
    found, expected = load_trajectory(tmp_path), by_logits.trajectory()
    np.testing.assert_allclose(found.mean_logits[:], expected.mean_logits, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(found.features, expected.features)
    np.testing.assert_allclose(found.epochs.loss, expected.epochs.loss, rtol=1e-5, atol=1e-6)
    # tdds needs the logits of every epoch, and neither kept them
    for method in set(scores.available()) - {"tdds"}:
        a, b = scores.compute(found, method), scores.compute(expected, method)
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5, err_msg=method)
    assert not (tmp_path / "mean_logits.npy").exists()


def test_entropy_by_tiles_keeps_the_digits_of_easy_samples_and_of_ties(monkeypatch):
    monkeypatch.setattr(factors_module, "_TILE_CLASSES", 3)
    logits = np.zeros((40, 8), dtype=np.float32)
    margins = np.linspace(0, 70, 40, dtype=np.float32)
    logits[np.arange(40), np.arange(40) % 8] = margins
    logits[::5, 2] = margins[::5]
    identity = np.eye(8, dtype=np.float32)
    factor = factors_module.Factor(logits, identity, np.zeros(8, dtype=np.float32))
    found = entropy_of_factors(factors_module.FactoredLogits([factor], np.ones((1, 40)), []))
    exact = scipy.stats.entropy(
        scipy.special.softmax(logits.astype(np.longdouble), axis=1).astype(float), axis=1
    )
    np.testing.assert_allclose(found, entropy_of_logits(logits), rtol=1e-6)
    np.testing.assert_allclose(found, exact, rtol=1e-5, atol=1e-12)


def test_samples_that_some_passes_missed_have_the_mean_of_the_others(tmp_path):
    by_features, by_logits = both_recorders(tmp_path, lambda epoch: torch.arange(10 + 10 * epoch))
    found, expected = by_features.trajectory().mean_logits[:], by_logits.trajectory().mean_logits
    assert np.isnan(expected[30:]).all() and not np.isnan(expected[:30]).any()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_an_interrupted_run_equals_an_unbroken_one(tmp_path):
    unbroken = FeatureRecorder(N, C, tmp_path / "unbroken")
    first = FeatureRecorder(N, C, tmp_path / "killed")
    for epoch in range(T):
        clean_pass(unbroken, epoch)
    clean_pass(first, 0)
    save_state(first, tmp_path / "state.pt")
    # killed in the middle of an epoch, and after one that no checkpoint holds
    clean_pass(first, 7)
    first.begin_epoch(head(8)[0])
    resumed = FeatureRecorder(N, C, tmp_path / "killed")
    load_state(resumed, tmp_path / "state.pt", epochs=1)
    for epoch in (1, 2):
        clean_pass(resumed, epoch)
    resumed.save()
    assert_equal(load_trajectory(tmp_path / "killed"), unbroken.trajectory())


def test_a_state_without_its_factors_is_refused(tmp_path):
    recorder = FeatureRecorder(N, C, tmp_path / "a")
    clean_pass(recorder, 0)
    with pytest.raises(FastreidPruneError, match="epoch_0000: missing"):
        FeatureRecorder(N, C, tmp_path / "b").load_state_dict(recorder.state_dict())


def test_a_damaged_factor_is_named(tmp_path):
    recorder = FeatureRecorder(N, C, tmp_path)
    clean_pass(recorder, 0)
    recorder.save()
    path = tmp_path / "factors" / "epoch_0000" / "weight.npy"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(FastreidPruneError, match="weight.npy"):
        load_trajectory(tmp_path)


def test_a_saved_copy_takes_its_factors_along(tmp_path):
    from fastreid_prune.trajectory import save_trajectory

    recorder = FeatureRecorder(N, C, tmp_path / "a")
    clean_pass(recorder, 0)
    save_trajectory(recorder.trajectory(), tmp_path / "b")
    assert_equal(load_trajectory(tmp_path / "b"), recorder.trajectory())


def test_calls_out_of_turn_and_wrong_shapes_are_refused(tmp_path):
    recorder = FeatureRecorder(N, C, tmp_path)
    index = torch.arange(3)
    with pytest.raises(ValueError, match="before begin_epoch"):
        recorder.update(index, torch.zeros(3, D), index)
    with pytest.raises(ValueError, match="weight: shape"):
        recorder.begin_epoch(torch.zeros(C - 1, D))
    recorder.begin_epoch(torch.zeros(C, D))
    with pytest.raises(ValueError, match="features: shape"):
        recorder.update(index, torch.zeros(3, D + 1), index)
    recorder.update(index, torch.full((3, D), torch.nan), index)
    with pytest.raises(FastreidPruneError, match="NaN or infinite logits in epoch 0: sample 0"):
        recorder.end_epoch()


def test_logits_of_features_and_weights_are_computed_on_a_gpu_where_there_is_one(monkeypatch):
    factor = factors_module.Factor(
        np.ones((2, 3), np.float32), np.ones((4, 3), np.float32), np.zeros(4, np.float32)
    )
    for there, device in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert factors_module.FactoredLogits([factor], np.ones((1, 2)), []).device == device
