"""The k most similar rows in float32: by faiss on a GPU, by torch on a GPU, or by faiss on the processor.

A faiss without machine code for the card ends the whole process at its first kernel. So a GPU faiss is tried once, in
a child process, before it is used.
"""

import functools
import importlib
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fastreid_prune.errors import FastreidPruneError

LARGEST_FAISS_GPU_K = 2048
TEMPORARY_BYTES = 1 << 28  # of faiss on the device: a training beside it keeps the rest
PIECE_BYTES = 1 << 28  # of the gallery at a time on the device
TILE_VALUES = 1 << 25  # float32 similarities at a time on the device
TRIAL_SECONDS = 120
_TRIAL = """
import faiss, numpy
if not hasattr(faiss, "StandardGpuResources"):
    print("is built for the processor")
elif not faiss.get_num_gpus():
    print("sees no GPU")
else:
    rows = numpy.eye(8, dtype=numpy.float32)
    for metric in faiss.METRIC_INNER_PRODUCT, faiss.METRIC_L2:
        found = faiss.knn_gpu(faiss.StandardGpuResources(), rows, rows, 1, metric=metric)[1]
        assert (found[:, 0] == numpy.arange(8)).all(), found
    print("works")
"""


@dataclass(frozen=True)
class Backend:
    """What searches.

    Attributes:
        name: "faiss on the GPU", "torch on the GPU" or "faiss on the processor".
        reason: why not faiss on the GPU; empty where it is.
    """

    name: str
    reason: str = ""

    @property
    def on_gpu(self) -> bool:
        """Whether a GPU does the work."""
        return self.name.endswith("GPU")


def backend() -> Backend:
    """The fastest that works here."""
    trial = "no GPU that torch can use" if not torch.cuda.is_available() else try_faiss_gpu()
    if trial == "works":
        return Backend("faiss on the GPU")
    return Backend("torch on the GPU" if torch.cuda.is_available() else "faiss on the processor", trial)


@functools.cache
def try_faiss_gpu() -> str:
    """ "works", or why faiss cannot search on this machine's GPU. Asked once in a process, in a child process."""
    if importlib.util.find_spec("faiss") is None:
        return "faiss is not installed"
    try:
        trial = subprocess.run(
            [sys.executable, "-c", _TRIAL], capture_output=True, text=True, timeout=TRIAL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"faiss did not answer in {TRIAL_SECONDS} s"
    if trial.returncode == 0:
        said = trial.stdout.strip()
        return said if said == "works" else f"faiss {said}"
    last = (trial.stderr.strip().splitlines() or [f"status {trial.returncode}"])[-1]
    return f"faiss fails on this GPU ({last:.200})"


def knn(query: np.ndarray, gallery: np.ndarray, k: int, cosine: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """The ``k`` most similar gallery rows of each query.

    Args:
        query: [Q, D] float32.
        gallery: [G, D] float32.
        k: at most G.
        cosine: compare by inner product (features of length 1 are expected); else by squared Euclidean distance.

    Returns:
        Inner products falling, or squared distances rising [Q, k] float32, and rows [Q, k] int64. Ties: any order.

    Raises:
        FastreidPruneError: faiss is needed and not installed.
    """
    chosen = backend()
    query, gallery = (np.ascontiguousarray(array, dtype=np.float32) for array in (query, gallery))
    if chosen.name == "faiss on the GPU" and k <= LARGEST_FAISS_GPU_K:
        faiss = faiss_module()
        metric = faiss.METRIC_INNER_PRODUCT if cosine else faiss.METRIC_L2
        device = torch.cuda.current_device()
        return faiss.knn_gpu(_resources(device), query, gallery, k, metric=metric, device=device)
    if chosen.on_gpu:
        return knn_by_torch(query, gallery, k, cosine, torch.device("cuda"))
    faiss = faiss_module()
    return faiss.knn(query, gallery, k, metric=faiss.METRIC_INNER_PRODUCT if cosine else faiss.METRIC_L2)


def knn_by_torch(
    query: np.ndarray, gallery: np.ndarray, k: int, cosine: bool, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`knn`, on any device of torch's, in full float32."""
    values = np.empty((len(query), k), dtype=np.float32)
    rows = np.empty((len(query), k), dtype=np.int64)
    step = max(k, PIECE_BYTES // (4 * gallery.shape[1]))
    height = max(1, TILE_VALUES // min(step, len(gallery)))
    with full_float32():
        for first in range(0, len(gallery), step):
            piece = torch.from_numpy(gallery[first : first + step]).to(device)
            for start in range(0, len(query), height):
                part = slice(start, start + height)
                score = _scores(torch.from_numpy(query[part]).to(device), piece, cosine)
                best = score.topk(min(k, len(piece)), dim=1)
                found, place = best.values.cpu().numpy(), best.indices.cpu().numpy() + first
                if first:
                    found, place = np.hstack([values[part], found]), np.hstack([rows[part], place])
                    order = np.argsort(-found, axis=1, kind="stable")[:, :k]
                    found = np.take_along_axis(found, order, 1)
                    place = np.take_along_axis(place, order, 1)
                values[part], rows[part] = found, place
    return (values if cosine else -values), rows


@contextmanager
def full_float32() -> Iterator[None]:
    """Inside the block a float32 matrix product rounds as float32 does, whatever the training allows (TF32)."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.autocast("cuda", enabled=False), torch.no_grad():
            yield
    finally:
        torch.set_float32_matmul_precision(before)


def faiss_module() -> ModuleType:
    """The module faiss.

    Raises:
        FastreidPruneError: it is not installed.
    """
    try:
        return importlib.import_module("faiss")
    except ImportError as error:
        raise FastreidPruneError(
            "faiss is not installed. Run `pip install faiss-cpu`; with an NVIDIA GPU, `pip install faiss-gpu` instead."
        ) from error


def _scores(query: Tensor, gallery: Tensor, cosine: bool) -> Tensor:
    """[n, m] inner products, or minus the squared distances."""
    product = query @ gallery.T
    if cosine:
        return product
    return product.mul_(2).sub_(gallery.square().sum(1)).sub_(query.square().sum(1)[:, None])


@functools.cache
def _resources(device: int) -> Any:
    """One for each device in a process: its memory is pinned and reserved once."""
    resources = faiss_module().StandardGpuResources()
    resources.setTempMemory(TEMPORARY_BYTES)
    return resources
