"""When training batches are recorded: after the step's last launch, a few at a time."""

import torch

from fastreid_prune.plugin.pending import BATCHES, PendingBatches


class Recorder:
    def __init__(self):
        self.recorded = []

    def update_together(self, batches):
        self.recorded.append([int(batch[0]) for batch in batches])


def put(pending, number):
    weight = torch.ones(1, 2, requires_grad=True)
    pending.put(torch.tensor([number]), weight * number, torch.tensor([0]), weight * 2)


def test_nothing_is_recorded_inside_the_forward_and_a_few_batches_at_once_after_a_step():
    recorder = Recorder()
    pending = PendingBatches(recorder)
    for number in range(BATCHES):
        put(pending, number)
        assert recorder.recorded == []
        pending.after_step()
    assert recorder.recorded == [list(range(BATCHES))]


def test_what_is_left_is_recorded_when_an_epoch_closes():
    recorder = Recorder()
    pending = PendingBatches(recorder)
    put(pending, 3)
    pending.after_step()
    pending.record()
    pending.record()
    assert recorder.recorded == [[3]]


def test_what_waits_keeps_no_graph():
    pending = PendingBatches(Recorder())
    put(pending, 1)
    _, logits, _, features = pending._batches[0]
    assert not logits.requires_grad and not features.requires_grad
