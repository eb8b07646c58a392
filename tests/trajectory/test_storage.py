import logging

import numpy as np
import pytest
import torch

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.trajectory import LogitRecorder, storage
from fastreid_prune.trajectory.blocks import row_blocks, row_slices
from fastreid_prune.trajectory.storage import choose_storage

GIB = 2**30


@pytest.mark.parametrize(
    "size, device, host, disk, processes, expected",
    [
        (2, 80, 64, 500, 1, "device"),
        (2, 4, 64, 500, 1, "host"),
        (2, None, 64, 500, 1, "host"),
        (12, None, 20, 500, 1, "disk"),
        (12, None, 64, 500, 2, "host"),
        (12, None, 64, 500, 4, "disk"),
    ],
)
def test_the_first_place_with_room_is_taken(size, device, host, disk, processes, expected):
    device = None if device is None else device * GIB
    assert choose_storage(size * GIB, "auto", device, host * GIB, disk * GIB, processes) == expected


def test_what_fits_nowhere_is_refused_with_the_way_out():
    with pytest.raises(FastreidPruneError, match="372.53 GiB.*FeatureRecorder"):
        choose_storage(4 * 10**6 * 10**5, "auto", None, 20 * GIB, 60 * GIB)


def test_disk_and_host_record_the_same_and_the_log_says_where(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    results = []
    for place in ("host", "disk"):
        recorder = LogitRecorder(10, 4, storage=place, folder=tmp_path)
        for index in torch.arange(20).split(3):
            recorder.update(index % 10, torch.sin(index.float())[:, None] + torch.arange(4.0), index % 10 % 4)
        recorder.end_epoch()
        results.append(recorder.trajectory().mean_logits)
    np.testing.assert_array_equal(*results)
    assert "in host memory" in caplog.text and f"a memory-mapped file in {tmp_path}" in caplog.text
    assert not list(tmp_path.iterdir()), "the file has no name, so that a killed run leaves none behind"


def test_a_disk_without_room_is_said_before_training(tmp_path):
    too_much = storage._free_disk(tmp_path) * 2 // 400
    with pytest.raises(FastreidPruneError, match="disk is full"):
        storage.temporary_memmap((too_much, 100), tmp_path)


def test_an_unknown_storage_is_refused():
    with pytest.raises(ValueError, match="expected one of auto, device, host, disk"):
        LogitRecorder(1, 2, storage="gpu")


def test_blocks_cover_all_rows_once_in_order():
    rows = np.arange(70, dtype=np.float32).reshape(35, 2)
    for size in (1, 8, 40, 10**6):
        parts = list(row_blocks(rows, size))
        np.testing.assert_array_equal(np.concatenate([block for _, block in parts]), rows)
        assert [part for part, _ in parts] == list(row_slices(35, 8, size))
