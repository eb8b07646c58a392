"""What evaluation costs: fastreid with Cython, ours, and one float32 matrix product, in one run.

python benchmarks/evaluation.py sizes                    # at VeRi's, Market-1501's and MSMT17's sizes
python benchmarks/evaluation.py sizes --only VeRi        # at one size
python benchmarks/evaluation.py difficulty               # at Market-1501's size, from mAP 95 % to 2 %
python benchmarks/evaluation.py growth                   # ours, galleries of 10,000 to 1,000,000
python benchmarks/evaluation.py profile --only VeRi      # where the time of ours goes, in one core

Where there is a GPU, a column says what the same ranking takes there, with the features in host memory before and the
results after. Each side runs in a process of its own on the same features: seconds of the fastest of a few runs, and
the peak of resident memory above what the process held with its features loaded. fastreid's Cython module is compiled
into a temporary folder first (`pip install -e .[benchmark]`). OpenBLAS picks its kernel by the processor unless
OPENBLAS_CORETYPE says otherwise: the kernel that was used is printed.
"""

import cProfile
import os
import pstats
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import torch
from evaluation_sides import STAGES, Measured, build_cython, measure, save
from retrieval_features import SIZES, Size, retrieval
from threadpoolctl import threadpool_limits

from fastreid_prune.evaluation import evaluate_ranking

MB = 1_000_000
GALLERIES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
IMAGES_AN_IDENTITY = 20
DIFFICULTIES = (0.45, 1.1, 1.8, 3.3)  # noise: mAP of about 95, 55, 19 and 2 %
PARTS = {
    ("counting.py", "_products"): "products, tile by tile",
    ("sorting.py", "with_columns"): "values made ready to be sorted",
    ("sorting.py", "places"): "thresholds among sorted values",
    ("counting.py", "_at_least"): "pairs that float32 cannot decide",
    ("counting.py", "_scores"): "exact similarities of right rows",
    ("inputs.py", "check_retrieval"): "features checked, norms",
}


@click.group(help=__doc__.splitlines()[0])
def main() -> None:
    """One command a measurement."""


@main.command()
@click.option("--only", multiple=True, type=click.Choice(list(SIZES)), help="Sizes to run; all by default.")
@click.option("--width", default=2048, show_default=True, help="Of the features.")
@click.option("--fraction", default=1.0, show_default=True, help="Of the images and identities, to rehearse.")
@click.option("--repeats", default=3, show_default=True, help="Runs of ours and the product; MSMT17 has one.")
@click.option("--seed", default=0, show_default=True)
def sizes(only: tuple[str, ...], width: int, fraction: float, repeats: int, seed: int) -> None:
    """fastreid with Cython, ours, and one float32 matrix product, side by side."""
    with tempfile.TemporaryDirectory() as folder:
        build_cython(Path(folder))
        for place, name in enumerate(only or SIZES):
            size = _smaller(SIZES[name], fraction)
            save(retrieval(size, width, seed), Path(folder))
            often = 1 if size.queries > 10_000 else repeats
            sides = ("gemm", "ours", "fastreid", *device_side())
            measured = {side: measure(side, Path(folder), often) for side in sides}
            if not place:
                click.echo(f"{measured['gemm'].library}; {width}-d, cosine, seed {seed}\n")
                click.echo(
                    "| size | one GEMM, s | ours, s | fastreid, s (distances + ranking) | ours / GEMM "
                    "| fastreid / ours | ours, MB | fastreid, MB | mAP, % | largest difference | ours on the GPU, s |"
                )
                click.echo("|---|---|---|---|---|---|---|---|---|---|---|")
            click.echo(_row(name, measured))


def _row(name: str, measured: dict[str, Measured]) -> str:
    gemm, ours, theirs = (measured[side] for side in ("gemm", "ours", "fastreid"))
    difference = max(abs(ours.found[key] - theirs.found[key]) for key in ours.found)
    return (
        f"| {name} | {gemm.total:.2f} | {ours.total:.2f} "
        f"| {theirs.total:.2f} ({' + '.join(f'{theirs.seconds[stage]:.2f}' for stage in STAGES)}) "
        f"| {ours.total / gemm.total:.2f} | {theirs.total / ours.total:.2f} "
        f"| {ours.peak / MB:.0f} | {theirs.peak / MB:.0f} | {100 * ours.found['mAP']:.2f} | {difference:.1e} "
        f"| {_on_gpu(measured)} |"
    )


def device_side() -> tuple[str, ...]:
    """The side that runs on a GPU, where there is one."""
    return ("device",) if torch.cuda.is_available() else ()


def _on_gpu(measured: dict[str, Measured]) -> str:
    """Its seconds, if what it found is what the processor found."""
    if "device" not in measured:
        return "no GPU"
    if measured["device"].found != measured["ours"].found:
        raise click.ClickException("the GPU found something else than the processor")
    return f"{measured['device'].total:.2f}"


@main.command()
@click.option("--width", default=2048, show_default=True, help="Of the features.")
@click.option("--fraction", default=1.0, show_default=True, help="Of the images and identities, to rehearse.")
@click.option("--seed", default=0, show_default=True)
def difficulty(width: int, fraction: float, seed: int) -> None:
    """Ours at Market-1501's size, from easy to hopeless."""
    click.echo("| mAP, % | one GEMM, s | ours, s | ours / GEMM | ours on the GPU, s |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for noise in DIFFICULTIES:
            size = replace(_smaller(SIZES["Market1501"], fraction), noise=noise)
            save(retrieval(size, width, seed), Path(folder))
            sides = ("gemm", "ours", *device_side())
            measured = {side: measure(side, Path(folder), repeats=3) for side in sides}
            gemm, ours = measured["gemm"].total, measured["ours"].total
            click.echo(
                f"| {100 * measured['ours'].found['mAP']:.1f} | {gemm:.2f} | {ours:.2f} | {ours / gemm:.2f} "
                f"| {_on_gpu(measured)} |"
            )


def _smaller(size: Size, fraction: float) -> Size:
    counts = ("queries", "gallery", "identities", "distractors")
    return replace(size, **{name: int(getattr(size, name) * fraction) for name in counts})


@main.command()
@click.option("--only", default="VeRi", show_default=True, type=click.Choice(list(SIZES)))
@click.option("--width", default=2048, show_default=True, help="Of the features.")
@click.option("--fraction", default=1.0, show_default=True, help="Of the queries.")
@click.option("--seed", default=0, show_default=True)
def profile(only: str, width: int, fraction: float, seed: int) -> None:
    """Where ours spends its time, in one core, in shares of the matrix product's time in one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    size = SIZES[only]
    arrays = retrieval(replace(size, queries=int(size.queries * fraction)), width, seed)
    queries, gallery = (np.ascontiguousarray(arrays[f"{side}_features"]) for side in ("query", "gallery"))
    with threadpool_limits(limits=1, user_api="blas"):
        product = min(_seconds(lambda: queries @ gallery.T) for _ in range(3))
        evaluate_ranking(**arrays, device="cpu")  # warm
        recorded = cProfile.Profile()
        whole = _seconds(lambda: recorded.runcall(evaluate_ranking, **arrays, device="cpu"))
    found = {
        (Path(file).name, name): cumulative
        for (file, _, name), (*_, cumulative, _) in pstats.Stats(recorded).stats.items()
    }
    seconds = {label: found.get(part, 0.0) for part, label in PARTS.items()}
    seconds["everything else"] = whole - sum(seconds.values())
    click.echo(
        f"{only}, {len(queries)} x {len(gallery)} x {width}: one GEMM {product:.2f} s, ours {whole:.2f} s\n"
    )
    click.echo("| part | s | of one GEMM |\n|---|---|---|")
    for label, value in seconds.items():
        click.echo(f"| {label} | {value:.3f} | {value / product:.2f} |")


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@main.command()
@click.option("--queries", default=1000, show_default=True)
@click.option("--width", default=128, show_default=True, help="Of the features.")
@click.option("--largest", default=GALLERIES[-1], show_default=True, help="Gallery to go up to.")
@click.option("--seed", default=0, show_default=True)
def growth(queries: int, width: int, largest: int, seed: int) -> None:
    """Time and memory of ours as the gallery grows, against the linear law from the smallest gallery."""
    click.echo("| gallery | one GEMM, s | ours, s | ours / GEMM | s / linear law | ours, MB | mAP, % |")
    click.echo("|---|---|---|---|---|---|---|")
    first = None
    with tempfile.TemporaryDirectory() as folder:
        for gallery in (count for count in GALLERIES if count <= largest):
            size = Size(queries, gallery, gallery // IMAGES_AN_IDENTITY, 0, 6, 0.65)
            save(retrieval(size, width, seed), Path(folder))
            gemm, ours = (measure(side, Path(folder), repeats=3) for side in ("gemm", "ours"))
            first = first or (gallery, ours.total)
            law = first[1] * gallery / first[0]
            click.echo(
                f"| {gallery:,} | {gemm.total:.3f} | {ours.total:.3f} | {ours.total / gemm.total:.2f} "
                f"| {ours.total / law:.2f} | {ours.peak / MB:.0f} | {100 * ours.found['mAP']:.2f} |"
            )


if __name__ == "__main__":
    main()
