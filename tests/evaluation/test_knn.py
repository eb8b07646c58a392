"""Which library searches, and that the result is the same whichever does.

No GPU here: torch's "cpu" stands for the device, and faiss's own CPU search, which says that it was asked, for a GPU's.
"""

import subprocess

import faiss
import numpy as np
import pytest
import torch

from fastreid_prune.evaluation import device_counting, knn, nearest, search


@pytest.fixture
def no_answer_yet():
    for cached in (knn.try_faiss_gpu, knn._resources):
        cached.cache_clear()
    yield
    for cached in (knn.try_faiss_gpu, knn._resources):
        cached.cache_clear()


@pytest.fixture
def a_gpu(monkeypatch, no_answer_yet):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)


@pytest.mark.parametrize("cosine", [True, False])
@pytest.mark.parametrize("piece", [1, 1 << 28])
def test_torch_finds_what_faiss_finds(cosine, piece, monkeypatch):
    monkeypatch.setattr(knn, "PIECE_BYTES", piece)
    monkeypatch.setattr(knn, "TILE_VALUES", 100)
    rng = np.random.default_rng(0)
    query, gallery = rng.normal(size=(23, 8)).astype(np.float32), rng.normal(size=(301, 8)).astype(np.float32)
    values, rows = knn.knn_by_torch(query, gallery, 7, cosine, torch.device("cpu"))
    expected, places = knn.knn(query, gallery, 7, cosine)
    np.testing.assert_array_equal(rows, places)
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5)


def test_torch_s_products_are_full_float32_whatever_the_training_allows():
    torch.set_float32_matmul_precision("medium")
    try:
        with knn.full_float32():
            assert torch.get_float32_matmul_precision() == "highest"
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision("highest")


def test_the_processor_s_faiss_says_why_it_is_not_a_gpu_s(no_answer_yet, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert knn.try_faiss_gpu() == "faiss is built for the processor"
    assert knn.backend() == knn.Backend("faiss on the processor", "no GPU that torch can use")


def test_a_faiss_that_ends_its_process_on_this_card_is_asked_once_and_not_used(a_gpu, monkeypatch):
    """A real child that dies as faiss does where it has no code for the card."""
    monkeypatch.setattr(
        knn, "_TRIAL", "import os, sys; print('no kernel image', file=sys.stderr); os.abort()"
    )
    started, real = [], subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: started.append(1) or real(*args, **kwargs))
    for _ in range(3):
        assert knn.backend() == knn.Backend("torch on the GPU", "faiss fails on this GPU (no kernel image)")
    assert len(started) == 1


@pytest.mark.parametrize(("k", "on_gpu"), [(100, True), (2040, True), (2041, False)])
def test_a_gpu_that_faiss_can_use_is_used_with_one_resource_for_all_pieces(k, on_gpu, a_gpu, monkeypatch):
    made, asked = [], []

    class Resources:
        def __init__(self):
            made.append(self)

        def setTempMemory(self, num_bytes):
            assert num_bytes <= 1 << 28

    def knn_gpu(resources, query, gallery, k, metric, device):
        asked.append((resources, k))
        return faiss.knn(query, gallery, k, metric=metric)

    monkeypatch.setattr(knn, "_TRIAL", "print('works')")
    monkeypatch.setattr(knn, "knn_by_torch", lambda *args: by_torch(*args[:4], torch.device("cpu")))
    monkeypatch.setattr(
        search, "DeviceFeatures", lambda s, _: device_counting.DeviceFeatures(s, torch.device("cpu"))
    )
    monkeypatch.setattr(search, "GPU_CHUNK_BYTES", 1 << 12)
    monkeypatch.setattr(faiss, "StandardGpuResources", Resources, raising=False)
    monkeypatch.setattr(faiss, "knn_gpu", knn_gpu, raising=False)
    rng = np.random.default_rng(0)
    query, gallery = rng.normal(size=(3, 4)), rng.normal(size=(3000, 4))
    rows, _ = nearest(query, gallery, k)
    assert (k + search.SPARE in {depth for _, depth in asked}) == on_gpu
    assert max(depth for _, depth in asked) <= knn.LARGEST_FAISS_GPU_K
    assert len(made) == 1
    monkeypatch.undo()
    knn.try_faiss_gpu.cache_clear()
    np.testing.assert_array_equal(rows, nearest(query, gallery, k)[0])


by_torch = knn.knn_by_torch
