"""The recorder on the device against the recorder on the CPU, and that it never waits."""

import tempfile

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from fastreid_prune.trajectory import LogitRecorder, Trajectory, load_trajectory
from fastreid_prune.trajectory.ranks import merge_ranks
from gpu_checks.registry import Context, check

NUMBERS = ("given_logit", "best_other_logit", "loss", "el2n")
TOLERANCE = 2e-6  # of the largest value: float32 sums in another order


def batches(classes: int, dtype: torch.dtype, seed: int) -> list[tuple[torch.Tensor, ...]]:
    """Five batches with duplicates, one of them empty."""
    generator = torch.Generator().manual_seed(seed)
    sizes = (64, 7, 0, 64, 33)
    found = []
    for size in sizes:
        index = torch.randint(40, (size,), generator=generator)
        logits = (8 * torch.randn(size, classes, generator=generator)).to(dtype)
        features = torch.randn(size, 16, generator=generator)
        found.append((index, logits, index % classes, features))
    return found


def record(
    device: str, storage: str, folder: str, classes: int, dtype: torch.dtype, together: bool
) -> Trajectory:
    """Two epochs."""
    recorder = LogitRecorder(50, classes, storage=storage, folder=folder)
    for epoch in range(2):
        some = [tuple(part.to(device) for part in batch) for batch in batches(classes, dtype, epoch)]
        if together:
            recorder.update_together(some)
        else:
            for index, logits, labels, features in some:
                recorder.update(index, logits, labels, training_features=features)
        recorder.end_epoch()
    return recorder.trajectory()


def difference(one: Trajectory, other: Trajectory) -> float:
    """The largest difference of any number, in units of the largest value of its array."""
    for name in ("visits", "correct"):
        np.testing.assert_array_equal(getattr(one.epochs, name), getattr(other.epochs, name))
    arrays = [("mean_logits", one.mean_logits, other.mean_logits), ("features", one.features, other.features)]
    arrays += [(name, getattr(one.epochs, name), getattr(other.epochs, name)) for name in NUMBERS]
    worst = 0.0
    for name, a, b in arrays:
        assert (np.isnan(a) == np.isnan(b)).all(), f"{name}: NaN at different places"
        worst = max(worst, float(np.nanmax(np.abs(a - b))) / max(1.0, float(np.nanmax(np.abs(b)))))
    return worst


@check("recorder")
def recorder(context: Context) -> str:
    """All types, sizes and storages."""
    worst, count = 0.0, 0
    for classes in (2, 3, 751, 1041, 10_000) if context.small else (2, 3, 751, 1041, 10_000, 100_000):
        for dtype in (torch.float32, torch.float16, torch.bfloat16):
            expected = record("cpu", "host", str(context.folder), classes, dtype, together=False)
            for storage in ("device", "host", "disk"):
                for together in (False, True):
                    found = record(context.device, storage, str(context.folder), classes, dtype, together)
                    worst, count = max(worst, difference(found, expected)), count + 1
    assert worst <= TOLERANCE, f"differs by {worst:.1e}, at most {TOLERANCE} expected"
    context.figures["worst"] = worst
    return f"{count} recordings (fp32, fp16, bf16; C = 2 to {classes:,}) differ from the CPU's by {worst:.1e} at most"


@check("recorder-waits")
def waits(context: Context) -> str:
    """torch raises at anything that makes the CPU wait for the device."""
    context.needs_gpu()
    for storage in ("device", "host"):
        recorder = LogitRecorder(50, 751, storage=storage)
        some = [tuple(part.cuda() for part in batch) for batch in batches(751, torch.float16, 0)]
        for mode in ("default", "error"):  # the first batches make the buffers
            torch.cuda.synchronize()
            torch.cuda.set_sync_debug_mode(mode)
            try:
                for index, logits, labels, features in some:
                    recorder.update(index, logits, labels, features, features)
                recorder.update_together(some)
            finally:
                torch.cuda.set_sync_debug_mode("default")
        recorder.end_epoch()
    return "no synchronisation in update and update_together, sums on the device and on the host"


def _rank(rank: int, folder: str, device: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    recorder = LogitRecorder(50, 9)
    for epoch in range(2):
        for index, logits, labels, features in batches(9, torch.float32, 10 * epoch + rank):
            parts = (part.to(device) for part in (index, (logits * 8).round() / 8, labels))
            recorder.update(*parts, training_features=features.to(device))
        recorder.end_epoch()
    merge_ranks(recorder, f"{folder}/merged", {})
    dist.destroy_process_group()


@check("two-ranks")
def two_ranks(context: Context) -> str:
    """Two processes on one card, over gloo, against one process that sees both's batches."""
    with tempfile.TemporaryDirectory(dir=context.folder) as folder:
        mp.spawn(_rank, (folder, context.device), nprocs=2)
        merged = load_trajectory(f"{folder}/merged")
        single = LogitRecorder(50, 9)
        for epoch in range(2):
            for one, two in zip(
                *(batches(9, torch.float32, 10 * epoch + rank) for rank in (0, 1)), strict=True
            ):
                index, logits, labels, features = (torch.cat(pair) for pair in zip(one, two, strict=True))
                single.update(index, (logits * 8).round() / 8, labels, training_features=features)
            single.end_epoch()
        worst = difference(merged, single.trajectory())
    assert worst <= TOLERANCE, f"differs by {worst:.1e}"
    return f"merged equals one process's to {worst:.1e}"
