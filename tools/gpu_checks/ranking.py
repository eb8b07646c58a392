"""Evaluation on the device against the CPU: the same counts, bit for bit, and what both cost."""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from fastreid_prune.evaluation import counting, device_counting, nearest
from fastreid_prune.evaluation.inputs import check_retrieval
from fastreid_prune.evaluation.knn import knn, knn_by_torch
from gpu_checks.registry import Context, check

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
from retrieval_features import SIZES, Size, retrieval

LARGE = {
    "Market1501": (SIZES["Market1501"], 2048),
    "MSMT17": (SIZES["MSMT17"], 2048),
    "1,000 x 1,000,000": (Size(1000, 1_000_000, 50_000, 0, 6, 0.65), 128),
}


def timed(work: Callable[[], object]) -> tuple[object, float]:
    """What it gives, and its seconds."""
    began = time.perf_counter()
    result = work()
    return result, time.perf_counter() - began


def counts(blocks: object) -> tuple[np.ndarray, np.ndarray]:
    """All queries and counts."""
    query, ahead = (np.concatenate(parts) for parts in zip(*blocks, strict=True))  # type: ignore[call-overload]
    return query, ahead


@check("ranks")
def ranks(context: Context) -> str:
    """Types, ties, rows of zeros, junk, both metrics; small, and compared with the CPU's counting."""
    device, rng, compared = torch.device(context.device), np.random.default_rng(0), 0
    for metric in ("cosine", "euclidean"):
        for dtype in (np.float16, np.float32, np.float64):
            for size in (1 << 14, 1 << 24):
                device_counting.TILE_VALUES = size
                query, gallery = rng.normal(size=(200, 65)), rng.normal(size=(3000, 65))
                gallery[:500] = query[rng.integers(200, size=500)]
                gallery[7] = 0
                labels = [rng.integers(low, 30, n) for low, n in ((0, 200), (-1, 3000))]
                cams = [rng.integers(4, size=n) for n in (200, 3000)]
                given = check_retrieval(query.astype(dtype), gallery.astype(dtype), *labels, *cams, metric)
                expected = counts(counting.count_ahead(*given))
                found = counts(part[1:] for part in _parts(given, device))
                assert all(map(np.array_equal, found, expected)), (metric, dtype, size)
                compared += 1
    return f"{compared} rankings equal the CPU's, bit for bit"


def _parts(given: tuple, device: torch.device) -> object:
    """The device's own blocks: an error is an error here, and not left to the processor."""
    for part, query, ahead in device_counting._counted(*given, device):
        yield part, part.start + query, ahead


@check("large-rankings")
def large(context: Context) -> str:
    """Equal at full size; seconds and memory."""
    device, lines = torch.device(context.device), []
    for name, (size, width) in LARGE.items():
        if context.small:
            size = replace(
                size,
                **{k: getattr(size, k) // 20 for k in ("queries", "gallery", "identities", "distractors")},
            )
        given = check_retrieval(**retrieval(size, width, 0), metric="cosine")
        expected, processor = timed(lambda given=given: counts(counting.count_ahead(*given)))
        figures = {"processor s": processor, "rows": int(len(expected[0]))}
        if context.has_gpu:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        found, figures["device s"] = timed(
            lambda given=given: counts(part[1:] for part in _parts(given, device))
        )
        assert all(map(np.array_equal, found, expected)), f"{name}: counts differ"
        if context.has_gpu:
            figures["device peak MB"] = torch.cuda.max_memory_allocated() / 1e6
        context.figures[name] = figures
        lines.append(
            f"{name} x {width}: {figures['device s']:.2f} s and {figures.get('device peak MB', 0):.0f} MB on the "
            f"device, {processor:.1f} s on the processor"
        )
    return "counts equal, bit for bit. " + "; ".join(lines)


@check("neighbours")
def neighbours(context: Context) -> str:
    """The k nearest: float32 on the device against faiss on the CPU, and exact ones against a full sort."""
    import faiss

    rng = np.random.default_rng(0)
    count = 2000 if context.small else 10_000
    features = rng.normal(size=(count, 512)).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    (values, rows), seconds = timed(lambda: knn(features, features, 21))
    (_, torch_rows), torch_seconds = timed(
        lambda: knn_by_torch(features, features, 21, True, torch.device(context.device))
    )
    (expected, places), processor = timed(
        lambda: faiss.knn(features, features, 21, metric=faiss.METRIC_INNER_PRODUCT)
    )
    assert np.abs(values - expected).max() < 1e-5, "similarities differ"
    same = min(float((found == places).mean()) for found in (rows, torch_rows))
    assert same > 0.999, f"only {same:.4%} of the neighbours are faiss's"
    some = features[:300].astype(np.float64)
    exact = np.argsort(
        -np.rint(some * 2**26) @ np.rint(features[:5000].astype(np.float64) * 2**26).T, kind="stable"
    )
    agree = float((nearest(features[:300], features[:5000], 10)[0] == exact[:, :10]).mean())
    assert agree > 0.9999, f"only {agree:.4%} of the exact neighbours agree"
    return (
        f"{count:,} x 512, k = 21: {seconds:.2f} s (torch {torch_seconds:.2f} s, faiss on the processor "
        f"{processor:.2f} s), {same:.3%} the same rows"
    )
