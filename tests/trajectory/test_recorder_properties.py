"""Whatever the order, the batches, the ranks and the interruptions: the same visits, the same trajectory."""

from itertools import zip_longest

import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trajectory_reference import Reference, assert_equal, assert_same

from fastreid_prune.trajectory import LogitRecorder, Trajectory
from fastreid_prune.trajectory.joined_log import join_logs
from fastreid_prune.trajectory.mean_rows import HostRows, MeanRows
from fastreid_prune.trajectory.records import summarise

N, C = 6, 4
LABELS = torch.tensor([0, 1, 2, 3, 0, 1])
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# multiples of 1/8 add up exactly in float32, in any order: the sums can be compared bit for bit
visits = st.tuples(st.integers(0, N - 1), st.lists(st.integers(-64, 64), min_size=C, max_size=C))
epochs = st.lists(st.lists(visits, max_size=12), min_size=1, max_size=4)


def feed(recorder, batch):
    index = torch.tensor([sample for sample, _ in batch], dtype=torch.int64)
    logits = torch.tensor([logits for _, logits in batch], dtype=torch.float32).reshape(-1, C) / 8
    recorder.update(index, logits, LABELS[index], features=logits[:, :2])


def recorded(run, sizes=None, recorder=None):
    """Record ``run``, a list of visits an epoch, cut into batches of ``sizes()``, or whole."""
    recorder = recorder or LogitRecorder(N, C)
    for epoch in run:
        start = 0
        while start < len(epoch):
            size = sizes() if sizes else len(epoch)
            feed(recorder, epoch[start : start + size])
            start += size
        recorder.end_epoch()
    return recorder


@given(epochs)
@quick
def test_a_recorder_keeps_what_a_loop_over_visits_keeps(run):
    reference = Reference(N, C)
    for epoch in run:
        for sample, logits in epoch:
            reference.visit(sample, np.array(logits) / 8, LABELS[sample])
        reference.end_epoch()
    mean, records = reference.arrays()
    trajectory = recorded(run).trajectory()
    assert_same(trajectory, mean, records, exact=False)


@given(epochs, st.data())
@quick
def test_batch_splits_are_no_matter(run, data):
    split = recorded(run, lambda: data.draw(st.integers(1, 5)))
    assert_equal(split.trajectory(), recorded(run).trajectory())


@given(epochs, st.data())
@quick
def test_the_order_of_different_samples_in_an_epoch_is_no_matter(run, data):
    mixed = []
    for epoch in run:
        # deal the samples' own sequences out in another order
        order = data.draw(st.permutations([sample for sample, _ in epoch]))
        own = {sample: iter([visit for visit in epoch if visit[0] == sample]) for sample, _ in epoch}
        mixed.append([next(own[sample]) for sample in order])
    assert_equal(recorded(mixed).trajectory(), recorded(run).trajectory())


@given(epochs, st.data())
@quick
def test_the_order_of_a_samples_own_visits_changes_only_what_is_about_order(run, data):
    mixed = [data.draw(st.permutations(epoch)) for epoch in run]
    a, b = recorded(run).trajectory(), recorded(mixed).trajectory()
    np.testing.assert_array_equal(a.mean_logits, b.mean_logits)
    for name in ("visits", "correct", "given_logit", "best_other_logit"):
        np.testing.assert_array_equal(getattr(a.epochs, name), getattr(b.epochs, name))
    for name in ("loss", "el2n"):
        np.testing.assert_allclose(getattr(a.epochs, name), getattr(b.epochs, name), rtol=1e-6)


# a step is a batch on each rank, which a single process sees one after another; ranks without one get an
# empty one
steps = st.lists(st.lists(st.lists(visits, max_size=3), min_size=1, max_size=4), max_size=4)


@given(st.lists(steps, min_size=1, max_size=3))
@quick
def test_the_number_of_ranks_is_no_matter(run):
    count = max((len(step) for epoch in run for step in epoch), default=1)
    single = LogitRecorder(N, C)
    ranks = [LogitRecorder(N, C) for _ in range(count)]
    for epoch in run:
        for step in epoch:
            for rank, batch in zip_longest(ranks, step, fillvalue=[]):
                feed(rank, batch)
            feed(single, [visit for batch in step for visit in batch])
        for recorder in (single, *ranks):
            recorder.end_epoch()
    joined = join_logs([rank.log.payload() for rank in ranks], str)
    total = sum(HostRows(rank.logit_sum.tensor, (N, C))[:] for rank in ranks)
    logits, records = MeanRows(total, joined.visits, C), summarise(joined.epochs, joined.labels)
    last = joined.last_rank()
    expected = single.trajectory()
    assert_equal(Trajectory(logits, joined.labels, records, features=expected.features), expected)
    if expected.features is not None:
        for row in range(N):
            own = ranks[last[row]].features.tensor[row] if last[row] >= 0 else np.full(2, np.nan)
            np.testing.assert_array_equal(expected.features[row], own)


@given(epochs, st.data())
@quick
def test_interruptions_between_epochs_are_no_matter(run, data):
    recorder = LogitRecorder(N, C)
    for epoch in run:
        recorded([epoch], recorder=recorder)
        if data.draw(st.booleans()):
            state = recorder.state_dict()
            recorder = LogitRecorder(N, C)
            recorder.load_state_dict(state)
    assert_equal(recorder.trajectory(), recorded(run).trajectory())
