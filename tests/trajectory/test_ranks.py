"""Two real processes over gloo against one process that sees the same batches."""

import json
import os
import time

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from trajectory_reference import assert_equal

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.trajectory import FeatureRecorder, LogitRecorder, Samples, blocks, load_trajectory
from fastreid_prune.trajectory.joined_log import join_logs
from fastreid_prune.trajectory.per_epoch_logits import open_epoch
from fastreid_prune.trajectory.ranks import merge_feature_ranks, merge_ranks, merge_whole, unvisited_by_all

RANKS, EPOCHS, STEPS, BATCH, N, C, D = 2, 3, 5, 6, 40, 9, 4


def batches(epoch, rank):
    """What a rank sees in an epoch; values that add up exactly in float32."""
    generator = torch.Generator().manual_seed(100 * epoch + rank)
    for _ in range(STEPS - rank):
        index = torch.randint(N // 2, (BATCH,), generator=generator)
        logits = torch.randint(-40, 40, (BATCH, C), generator=generator) / 8
        features = torch.randint(-9, 9, (BATCH, D), generator=generator).float()
        yield index, logits, index % C, features


def one_process(recorder):
    for epoch in range(EPOCHS):
        own = [list(batches(epoch, rank)) for rank in range(RANKS)]
        for step in range(STEPS):
            together = zip(*(run[step] for run in own if step < len(run)), strict=True)
            recorder.update(*(torch.cat(parts) for parts in together))
        recorder.end_epoch()
    rows = torch.from_numpy(recorder.unvisited())
    recorder.update(rows, torch.ones(len(rows), C), rows % C, torch.ones(len(rows), D))
    assert recorder.end_fill() == len(rows)
    return recorder


def rank_of_two(rank, folder):
    torch.set_num_threads(1)
    # merged in blocks of 7 rows and a rest
    blocks.BLOCK_BYTES = 7 * 4 * C
    dist.init_process_group("gloo", init_method=f"file://{folder}/gather", rank=rank, world_size=RANKS)
    recorder = LogitRecorder(N, C, keep_logits=f"{folder}/whole_{rank}")
    for epoch in range(EPOCHS):
        for batch in batches(epoch, rank):
            recorder.update(*batch)
        recorder.end_epoch()
    rows = torch.from_numpy(unvisited_by_all(recorder)[rank::RANKS].copy())
    recorder.update(rows, torch.ones(len(rows), C), rows % C, torch.ones(len(rows), D))
    recorder.end_fill()
    merge_ranks(recorder, f"{folder}/merged", {"mode": "train"})
    merge_whole(recorder, f"{folder}/whole")
    # rank 0 cannot write below a file: every rank hears of it, none waits for ever
    with pytest.raises((FastreidPruneError, NotADirectoryError), match="cannot be written|Not a directory"):
        merge_ranks(recorder, f"{folder}/merged/meta.json/below")
    time.sleep(0.2)  # as plugin/compat/launch.py does: with torch 2.3 the next line would hang
    dist.destroy_process_group()


def test_two_ranks_merge_to_the_trajectory_of_one_process(tmp_path):
    mp.spawn(rank_of_two, (str(tmp_path),), nprocs=RANKS)
    single = one_process(LogitRecorder(N, C, keep_logits=tmp_path / "single"))
    merged = load_trajectory(tmp_path / "merged")
    assert_equal(merged, single.trajectory())
    assert merged.meta["filled"] == single.trajectory().meta["filled"] > 0
    assert (
        merged.meta["never_visited"] == 0 and merged.meta["ranks"] == RANKS and merged.meta["mode"] == "train"
    )
    for epoch in range(EPOCHS):
        np.testing.assert_array_equal(
            open_epoch(tmp_path / "whole", epoch), open_epoch(tmp_path / "single", epoch)
        )


def test_ranks_that_disagree_are_refused():
    def rank(epochs, label):
        recorder = LogitRecorder(2, 3)
        for _ in range(epochs):
            recorder.update(torch.tensor([1]), torch.zeros(1, 3), torch.tensor([label]))
            recorder.end_epoch()
        return recorder.log.payload()

    with pytest.raises(FastreidPruneError, match=r"the ranks have recorded \[2, 1\] epochs"):
        join_logs([rank(2, 0), rank(1, 0)], str)
    with pytest.raises(FastreidPruneError, match="1 has label 0 on one rank and 2 on another"):
        join_logs([rank(1, 0), rank(1, 2)], str)


def clean_pass(recorder, epoch, rows):
    generator = torch.Generator().manual_seed(epoch)
    weight, features = torch.randn(C, D, generator=generator), torch.randn(N, D, generator=generator)
    recorder.begin_epoch(weight, torch.arange(C).float())
    for part in rows.split(7):
        recorder.update(part, features[part], part % C)
    recorder.end_epoch()


def feature_rank_of_two(rank, folder):
    torch.set_num_threads(1)
    blocks.BLOCK_BYTES = 7 * 4 * D
    dist.init_process_group("gloo", init_method=f"file://{folder}/gather", rank=rank, world_size=RANKS)
    samples = Samples.from_items([f"{i}.jpg" for i in range(N)], [f"p_{i % C}" for i in range(N)], ["c"] * N)
    recorder = FeatureRecorder(N, C, f"{folder}/rank_{rank}", samples=samples)
    # as a DistributedSampler deals them, with one sample twice to make the shares even
    rows = torch.cat([torch.arange(rank, N, RANKS), torch.tensor([0])])
    for epoch in range(EPOCHS):
        clean_pass(recorder, epoch, rows)
    merge_feature_ranks(recorder, f"{folder}/merged")
    time.sleep(0.2)
    dist.destroy_process_group()


def test_two_ranks_of_features_merge_to_the_trajectory_of_one_process(tmp_path):
    mp.spawn(feature_rank_of_two, (str(tmp_path),), nprocs=RANKS)
    merged = load_trajectory(tmp_path / "merged")
    single = FeatureRecorder(N, C, tmp_path / "single")
    for epoch in range(EPOCHS):
        clean_pass(single, epoch, torch.arange(N))
    expected = single.trajectory()
    np.testing.assert_array_equal(merged.mean_logits[:], expected.mean_logits[:])
    np.testing.assert_array_equal(merged.features, expected.features)
    np.testing.assert_allclose(merged.epochs.loss, expected.epochs.loss, rtol=1e-5)
    assert merged.epochs.visits[:, 0].tolist() == [3] * EPOCHS
    assert json.load(open(tmp_path / "merged" / "meta.json"))["mean_logits"] == "factors"
    assert sorted(os.listdir(tmp_path / "merged" / "factors")) == [f"epoch_000{t}" for t in range(EPOCHS)]
