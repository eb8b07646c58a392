import numpy as np
import pytest
import torch

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.trajectory import LogitRecorder
from fastreid_prune.trajectory.per_epoch_logits import open_epoch

N, C = 12, 3


def test_every_epochs_logits_are_kept_on_request(tmp_path):
    recorder = LogitRecorder(N, C, keep_logits=tmp_path)
    labels = torch.zeros(N, dtype=torch.int64)
    expected = np.full((2, N, C), np.nan, dtype=np.float16)
    for epoch in range(2):
        index = torch.tensor([3, 5, 3, 0, 7])[: 5 - epoch]
        logits = torch.randn(len(index), C)
        recorder.update(index, logits, labels[index])
        expected[epoch][index.numpy()] = logits.half().numpy()
        recorder.end_epoch()
    rest = torch.from_numpy(recorder.unvisited())
    recorder.update(rest, torch.ones(len(rest), C), labels[rest])
    recorder.end_fill()
    expected[1][rest.numpy()] = 1
    for epoch in range(2):
        found = open_epoch(tmp_path, epoch)
        assert isinstance(found, np.memmap) and found.dtype == np.float16
        np.testing.assert_array_equal(found, expected[epoch])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch_0000.npy", "epoch_0001.npy"]


def test_an_epoch_that_was_cut_off_has_no_file_and_is_written_anew(tmp_path):
    index, labels = torch.arange(N), torch.zeros(N, dtype=torch.int64)
    cut_off = LogitRecorder(N, C, keep_logits=tmp_path)
    cut_off.update(index[:5], torch.ones(5, C), labels[:5])
    with pytest.raises(FastreidPruneError, match="epoch_0000.npy"):
        open_epoch(tmp_path, 0)
    again = LogitRecorder(N, C, keep_logits=tmp_path)
    again.update(index[6:], torch.zeros(6, C), labels[6:])
    again.end_epoch()
    assert np.isnan(open_epoch(tmp_path, 0)[:6]).all() and (open_epoch(tmp_path, 0)[6:] == 0).all()


def test_nothing_is_kept_unless_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recorder = LogitRecorder(N, C, storage="host")
    recorder.update(torch.arange(N), torch.zeros(N, C), torch.zeros(N, dtype=torch.int64))
    recorder.end_epoch()
    assert not list(tmp_path.iterdir())
