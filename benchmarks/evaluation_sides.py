"""What ``evaluation.py`` measures, each in a process of its own: fastreid's evaluation, ours, one GEMM."""

import importlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

ARRAYS = ("query_features", "gallery_features", "query_ids", "gallery_ids", "query_cams", "gallery_cams")
STAGES = ("distances", "ranking")


class Measured(NamedTuple):
    """One side: the fastest run's seconds by stage, peak memory above the features in bytes, what it found."""

    seconds: dict[str, float]
    peak: int
    found: dict[str, float]
    library: str

    @property
    def total(self) -> float:
        """Seconds of the fastest run."""
        return sum(self.seconds.values())


def save(retrieval: dict[str, np.ndarray], folder: Path) -> None:
    """Write the arrays where the measured processes read them."""
    for name, array in retrieval.items():
        np.save(folder / f"{name}.npy", array)


def measure(side: str, folder: Path, repeats: int, warm: int = 1) -> Measured:
    """Run ``side``, one of ``SIDES``, on the arrays in ``folder``, ``repeats`` times after warming up."""
    context = get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(send, side, folder, repeats, warm))
    process.start()
    send.close()
    try:
        return Measured(*receive.recv())
    except EOFError:
        process.join()
        raise click.ClickException(
            f"{side}: its process ended with {process.exitcode} (out of memory?)"
        ) from None
    finally:
        process.join()


def build_cython(folder: Path) -> None:
    """Compile fastreid's ranking into ``folder``, from its own ``rank_cy.pyx``."""
    import fastreid

    source = Path(fastreid.__file__).parent / "evaluation" / "rank_cylib" / "rank_cy.pyx"
    shutil.copy(source, folder)
    (folder / "setup.py").write_text(
        "import numpy\n"
        "from Cython.Build import cythonize\n"
        "from setuptools import Extension, setup\n"
        "rank = Extension('rank_cy', ['rank_cy.pyx'], include_dirs=[numpy.get_include()])\n"
        "setup(name='rank_cy', ext_modules=cythonize([rank]), script_args=['build_ext', '--inplace'])\n"
    )
    built = subprocess.run(
        [sys.executable, "setup.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    if built.returncode:
        raise click.ClickException(
            "fastreid's Cython module does not build here; `pip install -e .[benchmark]` and a C compiler are "
            f"needed.\n{built.stdout[-1000:]}{built.stderr[-1000:]}"
        )


def _run(send, side: str, folder: Path, repeats: int, warm: int) -> None:
    arrays = [np.load(folder / f"{name}.npy") for name in ARRAYS]
    run = SIDES[side](folder)
    small = [array[:200] for array in arrays]
    small[3] = np.resize(small[2], len(small[3]))  # the first identities are those of the first queries
    for _ in range(warm):
        run(*small)
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = _memory("VmRSS")
    runs = [run(*arrays) for _ in range(repeats)]
    seconds, found = min(runs, key=lambda result: sum(result[0].values()))
    send.send((seconds, _memory("VmHWM") - before, found, _library()))


def _fastreid(folder: Path) -> Callable:
    sys.path.insert(0, str(folder))
    rank = importlib.import_module("rank_cy")
    import fastreid_prune

    fastreid_prune.register()
    import torch
    from fastreid.utils.compute_dist import build_dist

    def run(query, gallery, query_ids, gallery_ids, query_cams, gallery_cams):
        start = time.perf_counter()
        distances = build_dist(torch.from_numpy(query), torch.from_numpy(gallery), "cosine")
        middle = time.perf_counter()
        cmc, precisions, penalties = rank.evaluate_cy(
            distances, query_ids, gallery_ids, query_cams, gallery_cams, 50
        )
        seconds = {"distances": middle - start, "ranking": time.perf_counter() - middle}
        found = {"Rank-1": cmc[0], "mAP": np.mean(precisions), "mINP": np.mean(penalties)}
        return seconds, {name: float(value) for name, value in found.items()}

    return run


def _ours(folder: Path, device: str = "cpu") -> Callable:
    from fastreid_prune.evaluation import evaluate_ranking

    def run(*arrays):
        start = time.perf_counter()
        ranking = evaluate_ranking(*arrays, device=device)
        return {"all": time.perf_counter() - start}, {
            "Rank-1": ranking.rank(1),
            "mAP": ranking.mAP,
            "mINP": ranking.mINP,
        }

    return run


def _gemm(folder: Path) -> Callable:
    def run(query, gallery, *_):
        out = np.zeros((len(query), len(gallery)), dtype=np.float32)
        out.fill(1)  # its memory is there before the clock starts
        start = time.perf_counter()
        np.matmul(query, gallery.T, out=out)
        return {"all": time.perf_counter() - start}, {}

    return run


def _on_device(folder: Path) -> Callable:
    return _ours(folder, "cuda")


SIDES = {"fastreid": _fastreid, "ours": _ours, "gemm": _gemm, "device": _on_device}


def _memory(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def _library() -> str:
    """numpy's BLAS library, kernel and threads, which ours and the GEMM both use."""
    from threadpoolctl import threadpool_info

    for library in threadpool_info():
        if library["user_api"] == "blas" and "numpy" in library["filepath"]:
            kernel = library.get("architecture", "unknown")
            return (
                f"{library['internal_api']} {library['version']}, {kernel}, {library['num_threads']} threads"
            )
    return "unknown"
