import numpy as np
import pytest
import torch
from click.testing import CliRunner
from trajectory_reference import assert_equal

from fastreid_prune import scores
from fastreid_prune.cli.merge import command
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.trajectory import FeatureRecorder, LogitRecorder, Samples, load_trajectory, merge_runs

N, C = 40, 6


def samples(order=None, pids=None, names=None):
    order = np.arange(N) if order is None else order
    pids = pids or [f"p_{i % C}" for i in range(N)]
    names = names or [f"{i:03d}.jpg" for i in range(N)]
    return Samples.from_items([names[i] for i in order], [pids[i] for i in order], ["c_0"] * N)


def run(folder, seed, epochs=2, order=None, missing=(), features=2, **options):
    """A run whose logits depend on seed, epoch and file; ``order`` lists the files by row."""
    order = np.arange(N) if order is None else order
    who = samples(order, **options)
    recorder = LogitRecorder(N, len(who.class_names), samples=who)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        z = torch.randn(N, len(who.class_names), generator=generator)[order]
        f = torch.randn(N, features, generator=generator)[order] if features else None
        keep = torch.tensor([row for row in range(N) if order[row] not in missing])
        labels = torch.from_numpy(who.label)
        recorder.update(keep, z[keep], labels[keep], None if f is None else f[keep])
        recorder.end_epoch()
    recorder.save(folder / "prune" / "trajectory", {"seed": seed, "mode": "eval", "dataset": "d"})
    return load_trajectory(folder)


def test_runs_merge_to_the_mean_of_their_mean_logits_and_scores(tmp_path):
    parts = [run(tmp_path / str(seed), seed, epochs=2 + seed) for seed in range(3)]
    merge_runs([tmp_path / str(seed) for seed in range(3)], tmp_path / "all")
    merged = load_trajectory(tmp_path / "all")
    mean = np.mean([part.mean_logits for part in parts], axis=0)
    np.testing.assert_allclose(merged.mean_logits, mean, atol=1e-6)
    for method in ("forgetting", "el2n", "prototypes", "moving_average_loss", "aum"):
        expected = np.mean([scores.compute(part, method) for part in parts], axis=0)
        np.testing.assert_allclose(scores.compute(merged, method), expected, rtol=1e-6, err_msg=method)
    assert merged.num_epochs == 2 + 3 + 4 and merged.features.shape == (N, 6)
    assert [one["seed"] for one in merged.meta["runs"]] == [0, 1, 2]
    assert merged.meta["dataset"] == "d" and "seed" not in merged.meta


def test_el2n_of_a_chosen_epoch_is_averaged_over_the_runs(tmp_path):
    parts = [run(tmp_path / str(seed), seed) for seed in range(2)]
    merge_runs([tmp_path / "0", tmp_path / "1"], tmp_path / "all")
    expected = np.mean([part.epochs.el2n[0] for part in parts], axis=0)
    found = scores.compute(load_trajectory(tmp_path / "all"), "el2n", epoch=0)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_rows_are_matched_by_file_name(tmp_path):
    order = np.random.default_rng(0).permutation(N)
    run(tmp_path / "a", 0)
    run(tmp_path / "b", 1)
    run(tmp_path / "c", 1, order=order)
    merge_runs([tmp_path / "a", tmp_path / "b"], tmp_path / "ab")
    merge_runs([tmp_path / "a", tmp_path / "c"], tmp_path / "ac")
    assert_equal(load_trajectory(tmp_path / "ab"), load_trajectory(tmp_path / "ac"))


def test_merging_in_steps_is_merging_at_once(tmp_path):
    for seed in range(3):
        run(tmp_path / str(seed), seed, missing=[seed, 5])
    merge_runs([tmp_path / "0", tmp_path / "1"], tmp_path / "01")
    merge_runs([tmp_path / "01", tmp_path / "2"], tmp_path / "steps")
    merge_runs([tmp_path / "0", tmp_path / "1", tmp_path / "2"], tmp_path / "once")
    steps, once = load_trajectory(tmp_path / "steps"), load_trajectory(tmp_path / "once")
    np.testing.assert_allclose(steps.mean_logits, once.mean_logits, atol=1e-6)
    assert np.isnan(once.mean_logits).all(1).nonzero()[0].tolist() == [5]
    for name, array in vars(once.epochs).items():
        np.testing.assert_array_equal(getattr(steps.epochs, name), array)


def test_features_are_merged_only_if_all_runs_have_them(tmp_path):
    run(tmp_path / "a", 0)
    run(tmp_path / "b", 1, features=0)
    merge_runs([tmp_path / "a", tmp_path / "b"], tmp_path / "ab")
    merged = load_trajectory(tmp_path / "ab")
    assert merged.features is None
    with pytest.raises(FastreidPruneError, match="no features"):
        scores.compute(merged, "prototypes")


@pytest.mark.parametrize(
    "other, message",
    [
        ({"names": [f"{i:03d}.png" for i in range(N)]}, "differ in 80 files, the first 000.jpg"),
        ({"pids": [f"q_{i % C}" for i in range(N)]}, "different class maps"),
        ({"pids": [f"p_{(i + (i < 12)) % C}" for i in range(N)]}, "different identities to 12 files"),
        ({"pids": [f"p_{i % 5}" for i in range(N)]}, "40 samples of 6 classes and 40 of 5"),
    ],
)
def test_runs_on_other_data_are_refused(other, message, tmp_path):
    run(tmp_path / "a", 0)
    run(tmp_path / "b", 1, **other)
    with pytest.raises(FastreidPruneError, match=message):
        merge_runs([tmp_path / "a", tmp_path / "b"], tmp_path / "ab")
    assert not (tmp_path / "ab").exists()


def test_one_run_given_twice_is_refused(tmp_path):
    run(tmp_path / "a", 0)
    for runs in ([tmp_path / "a"], [tmp_path / "a", tmp_path / "a" / "prune"]):
        with pytest.raises(FastreidPruneError, match="two or more different runs"):
            merge_runs(runs, tmp_path / "ab")


def test_runs_of_features_and_weights_merge_with_each_other_only(tmp_path):
    for seed in range(2):
        recorder = FeatureRecorder(N, C, tmp_path / str(seed) / "prune" / "trajectory", samples=samples())
        generator = torch.Generator().manual_seed(seed)
        for _ in range(1 + seed):
            recorder.begin_epoch(torch.randn(C, 3, generator=generator))
            recorder.update(
                torch.arange(N), torch.randn(N, 3, generator=generator), torch.from_numpy(samples().label)
            )
            recorder.end_epoch()
        recorder.save()
    merge_runs([tmp_path / "0", tmp_path / "1"], tmp_path / "both")
    merged = load_trajectory(tmp_path / "both")
    parts = [load_trajectory(tmp_path / str(seed)) for seed in range(2)]
    mean = np.mean([part.mean_logits[:] for part in parts], axis=0)
    np.testing.assert_allclose(merged.mean_logits[:], mean, atol=1e-5)
    run(tmp_path / "dense", 3)
    with pytest.raises(FastreidPruneError, match="merge only with each other"):
        merge_runs([tmp_path / "0", tmp_path / "dense"], tmp_path / "mixed")


def test_the_command_merges_and_says_where(tmp_path):
    run(tmp_path / "a", 0)
    run(tmp_path / "b", 1)
    result = CliRunner().invoke(
        command, [*(str(tmp_path / name) for name in "ab"), "-o", str(tmp_path / "ab")]
    )
    assert result.exit_code == 0 and str(tmp_path / "ab" / "prune" / "trajectory") in result.output
    assert load_trajectory(tmp_path / "ab").num_epochs == 4
