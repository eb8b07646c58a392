import numpy as np
import pytest
import torch
from trajectory_reference import Reference, assert_equal, assert_same

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.trajectory import LogitRecorder, Samples
from fastreid_prune.trajectory.statistics import batch_statistics

N, C = 20, 7


def random_run(seed=0, epochs=3, batches=6, size=8):
    """Batches of visits with repetition, as PK sampling makes them; logits are multiples of 1/8."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(C, (N,), generator=generator)
    run = []
    for _ in range(epochs):
        epoch = []
        for _ in range(batches):
            index = torch.randint(N, (size,), generator=generator)
            logits = torch.randint(-40, 40, (size, C), generator=generator) / 8
            epoch.append((index, logits, labels[index]))
        run.append(epoch)
    return run


def record(run, recorder=None, **options):
    recorder = recorder or LogitRecorder(N, C, **options)
    for epoch in run:
        for index, logits, labels in epoch:
            recorder.update(index, logits, labels)
        recorder.end_epoch()
    return recorder


def reference(run):
    result = Reference(N, C)
    for epoch in run:
        for batch in epoch:
            for visit in zip(*batch, strict=True):
                result.visit(*visit)
        result.end_epoch()
    return result.arrays()


def test_repeated_and_missing_visits_are_recorded_as_by_a_loop_over_visits():
    run = random_run()
    trajectory = record(run).trajectory()
    assert (trajectory.epochs.visits == 0).any() and (trajectory.epochs.visits > 1).any()
    assert_same(trajectory, *reference(run))


def test_one_clean_pass_an_epoch_gives_the_plain_mean_over_epochs():
    labels = torch.arange(N) % C
    logits = torch.randn(5, N, C)
    recorder = LogitRecorder(N, C)
    for epoch in logits:
        for rows in torch.randperm(N).split(6):
            recorder.update(rows, epoch[rows], labels[rows])
        recorder.end_epoch()
    trajectory = recorder.trajectory()
    np.testing.assert_allclose(trajectory.mean_logits, logits.mean(0), atol=1e-6)
    records = trajectory.epochs
    np.testing.assert_allclose(records.given_logit + records.loss, logits.logsumexp(2), rtol=1e-5)
    np.testing.assert_array_equal(trajectory.labels, labels)
    assert (trajectory.epochs.visits == 1).all()


def test_a_sample_twice_in_a_batch_counts_twice_and_its_last_features_stay():
    recorder = LogitRecorder(3, 2)
    logits = torch.tensor([[1.0, 0.0], [4.0, 0.0], [3.0, 0.0]])
    features = torch.tensor([[1.0], [2.0], [3.0]])
    recorder.update(torch.tensor([2, 0, 2]), logits, torch.tensor([0, 1, 0]), features)
    recorder.end_epoch()
    trajectory = recorder.trajectory()
    assert trajectory.epochs.visits.tolist() == [[1, 0, 2]]
    np.testing.assert_array_equal(trajectory.mean_logits[2], [2, 0])
    np.testing.assert_array_equal(trajectory.features, [[2], [np.nan], [3]])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_float_types_are_accumulated_in_float32(dtype):
    # 1/256 is lost beside 2048 in half precision, not in single
    recorder = LogitRecorder(1, 2)
    for value in (2048, 1 / 256):
        recorder.update(torch.tensor([0]), torch.tensor([[value, 0]], dtype=dtype), torch.tensor([0]))
    recorder.end_epoch()
    assert recorder.trajectory().mean_logits[0, 0] == np.float32(1024 + 1 / 512)


def test_update_reads_no_value_so_it_cannot_wait_for_the_device():
    # tensors on the meta device have no values: whatever looked at one would fail
    def meta(*shape, dtype):
        return torch.empty(shape, dtype=dtype, device="meta")

    recorder = LogitRecorder(N, C, storage="device")
    for dtype in (torch.float16, torch.float32):
        recorder.update(
            meta(8, dtype=torch.int64),
            meta(8, C, dtype=dtype),
            meta(8, dtype=torch.int64),
            features=meta(8, 5, dtype=dtype),
        )
        rows = meta(8, dtype=torch.int64)
        recorder.update_together([(rows, meta(8, C, dtype=dtype), rows, None)] * 2)
    assert recorder.logit_sum.tensor.device.type == "meta"


@pytest.mark.parametrize("together", [1, 4, 6])
def test_batches_recorded_together_are_recorded_as_one_by_one(together):
    run = [[(*batch, batch[1][:, :3]) for batch in epoch] for epoch in random_run()]
    run[1].insert(2, tuple(part[:0] for part in run[1][0]))  # an empty one
    one_by_one, at_once = LogitRecorder(N, C), LogitRecorder(N, C)
    for epoch in run:
        for index, logits, labels, features in epoch:
            one_by_one.update(index, logits, labels, training_features=features)
        for first in range(0, len(epoch), together):
            some = epoch[first : first + together]
            at_once.update_together([(index, logits, labels, f) for index, logits, labels, f in some])
        one_by_one.end_epoch()
        at_once.end_epoch()
    assert_equal(at_once.trajectory(), one_by_one.trajectory())
    for ours, theirs in zip(at_once.log.epochs, one_by_one.log.epochs, strict=True):
        np.testing.assert_array_equal(ours.step, theirs.step)


def test_batches_recorded_together_are_checked_each():
    index, logits, labels = torch.arange(2), torch.zeros(2, C), torch.zeros(2, dtype=torch.int64)
    with pytest.raises(ValueError, match="labels: values from 7 to 7"):
        LogitRecorder(N, C).update_together(
            [(index, logits, labels, None), (index, logits, labels + 7, None)]
        )


def test_the_autograd_graph_and_inference_mode_are_no_matter():
    recorder = LogitRecorder(N, C)
    index, labels = torch.arange(N), torch.arange(N) % C
    with torch.inference_mode():
        recorder.update(index, torch.ones(N, C), labels, torch.ones(N, 2))
    logits = torch.ones(N, C, requires_grad=True)
    recorder.update(index, 1 * logits, labels, 1 * logits[:, :2])
    recorder.end_epoch()
    assert not recorder.logit_sum.tensor.requires_grad
    assert recorder.trajectory().epochs.visits.tolist() == [[2] * N]


def test_loss_and_el2n_keep_their_digits_where_they_are_tiny_and_where_they_are_large():
    z = torch.tensor([[40.0, 0, 0], [20, 0, 1], [0, 60, 0], [0, 120, 0], [1e4, -1e4, 0]])
    labels = torch.tensor([0, 0, 0, 0, 1])
    found = batch_statistics(z, labels)
    z, own = z.double(), labels[:, None]
    others = z.scatter(1, own, -torch.inf)
    loss = torch.log1p((others - z.gather(1, own)).exp().sum(1))
    loss[4] = 2e4
    others = (others - z.logsumexp(1, keepdim=True)).exp()
    el2n = (others.sum(1) ** 2 + (others**2).sum(1)).sqrt()
    torch.testing.assert_close(found.loss.double(), loss, rtol=1e-6, atol=0)
    torch.testing.assert_close(found.el2n.double(), el2n, rtol=1e-6, atol=0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("column", [0, 1])
def test_nan_and_infinite_logits_are_refused_naming_sample_epoch_and_head(value, column):
    samples = Samples.from_items(["a/1.jpg", "a/2.jpg"], ["p_1", "p_2"], ["c_0", "c_0"])
    recorder = LogitRecorder(2, 2, samples=samples, head="b1_head")
    index, labels = torch.arange(2), torch.arange(2)
    recorder.update(index, torch.zeros(2, 2), labels)
    recorder.end_epoch()
    logits = torch.zeros(2, 2)
    logits[1, column] = value
    recorder.update(index, logits, labels)
    with pytest.raises(FastreidPruneError, match=r"b1_head in epoch 1: sample 1 \(a/2.jpg\)"):
        recorder.end_epoch()


def test_two_labels_for_a_sample_are_refused_within_and_across_epochs():
    recorder = LogitRecorder(2, 3)
    recorder.update(torch.tensor([0, 0]), torch.zeros(2, 3), torch.tensor([1, 2]))
    with pytest.raises(FastreidPruneError, match="sample 0 came with two labels by epoch 0: 1 and 2"):
        recorder.end_epoch()
    recorder = LogitRecorder(2, 3)
    for label in (1, 0):
        recorder.update(torch.tensor([1]), torch.zeros(1, 3), torch.tensor([label]))
        if label:
            recorder.end_epoch()
    with pytest.raises(FastreidPruneError, match="sample 1 came with two labels by epoch 1: 0 and 1"):
        recorder.end_epoch()


@pytest.mark.parametrize(
    "index, logits, labels, message",
    [
        ([0, 20], torch.zeros(2, C), [0, 0], "sample_index: values from 0 to 20, expected 0 to 19"),
        ([-1, 2], torch.zeros(2, C), [0, 0], "sample_index: values from -1"),
        ([0, 1], torch.zeros(2, C), [0, C], f"labels: values from 0 to {C}"),
        ([0, 1], torch.zeros(2, C + 1), [0, 0], r"logits: torch.float32 \[2, 8\], expected floats \[B, 7\]"),
        ([0, 1], torch.zeros(2, C, dtype=torch.int64), [0, 0], "logits: torch.int64"),
        ([0], torch.zeros(2, C), [0, 0], r"sample_index: shape \[1\]"),
        ([0, 1], torch.zeros(2, C), [0], r"labels: shape \[1\]"),
    ],
)
def test_what_does_not_fit_is_refused_at_once(index, logits, labels, message):
    with pytest.raises(ValueError, match=message):
        LogitRecorder(N, C).update(torch.tensor(index), logits, torch.tensor(labels))


def test_a_closing_pass_fills_what_sampling_never_visited():
    run = random_run(epochs=2, batches=1)
    recorder = record(run)
    missing = recorder.unvisited()
    assert 0 < len(missing) < N
    index = torch.from_numpy(missing)
    logits = torch.ones(len(missing), C)
    recorder.update(index, logits, torch.zeros_like(index))
    with pytest.raises(ValueError, match="end_fill"):
        recorder.trajectory()
    assert recorder.end_fill() == len(missing)
    assert len(recorder.unvisited()) == 0
    trajectory = recorder.trajectory()
    run[-1].append((index, logits, torch.zeros_like(index)))
    assert_same(trajectory, *reference(run))
    assert trajectory.num_epochs == 2
    assert trajectory.meta["filled"] == len(missing) and trajectory.meta["never_visited"] == 0


def test_samples_never_visited_are_nan_and_counted():
    samples = Samples.from_items(["1", "2"], ["p", "q"], ["c", "c"])
    recorder = LogitRecorder(2, 2, samples=samples)
    recorder.update(torch.tensor([0]), torch.ones(1, 2), torch.tensor([0]))
    recorder.end_epoch()
    trajectory = recorder.trajectory()
    assert np.isnan(trajectory.mean_logits[1]).all() and trajectory.meta["never_visited"] == 1
    assert trajectory.labels.tolist() == [0, 1]


@pytest.mark.parametrize("storage", ["host", "disk"])
def test_state_goes_on_in_another_recorder_and_is_a_copy(storage, tmp_path):
    run = random_run()
    unbroken = record(run, storage=storage, folder=tmp_path)
    first = record(run[:1], storage=storage, folder=tmp_path)
    second = LogitRecorder(N, C, storage=storage, folder=tmp_path)
    second.load_state_dict(first.state_dict())
    record(run[1:], first)
    assert second.num_epochs == 1
    assert_equal(second.trajectory(), record(run[:1]).trajectory())
    record(run[1:], second)
    assert_equal(second.trajectory(), unbroken.trajectory())
    assert_equal(first.trajectory(), unbroken.trajectory())


def test_state_is_given_between_epochs_only():
    recorder = record(random_run())
    index, logits, labels = random_run()[0][0]
    recorder.update(index, logits, labels)
    with pytest.raises(ValueError, match="call end_epoch"):
        recorder.state_dict()


def test_a_state_of_other_sizes_is_refused():
    state = record(random_run()).state_dict()
    with pytest.raises(FastreidPruneError, match="num_classes is 7, expected 8"):
        LogitRecorder(N, C + 1).load_state_dict(state)
