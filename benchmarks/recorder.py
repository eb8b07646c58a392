"""What recording and scoring cost: time, memory, bytes. Each part prints a table; large files are removed.

python benchmarks/recorder.py update      # a recorder's update beside a ResNet-50 training step
python benchmarks/recorder.py memory      # peak memory of a recorder against the formula
python benchmarks/recorder.py ranks       # memory that merging two ranks takes
python benchmarks/recorder.py scoring     # entropy against one pass of log_softmax
python benchmarks/recorder.py large       # 300,000 samples x 10,000 classes from disk
python benchmarks/recorder.py features    # features and weights instead of logits, at growing sizes
"""

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from fastreid_prune import scores
from fastreid_prune.scores.entropy import entropy_of_logits
from fastreid_prune.trajectory import (
    FeatureRecorder,
    LogitRecorder,
    Trajectory,
    load_trajectory,
    save_trajectory,
)
from fastreid_prune.trajectory.ranks import merge_ranks

GIB, MIB = 2**30, 2**20


def seconds(call: Callable[[], object], repeats: int) -> float:
    """The median duration of ``call``."""
    durations = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        durations.append(time.perf_counter() - start)
    return float(np.median(durations))


def peak_memory(call: Callable[..., object], *arguments: object) -> tuple[object, int, int]:
    """What ``call`` gives in a fresh process, the process's memory before it, and its peak, in bytes."""
    context = multiprocessing.get_context("spawn")
    queue = context.SimpleQueue()
    process = context.Process(target=_measured, args=(queue, call, arguments))
    process.start()
    process.join()
    if process.exitcode:
        raise click.ClickException(f"the measured process ended with {process.exitcode}")
    return queue.get()


def _measured(queue, call, arguments) -> None:
    before = _high_water()
    result = call(*arguments)
    queue.put((result, before, _high_water()))


def _high_water() -> int:
    """The process's peak resident memory in bytes. (getrusage's would include that of the parent process.)"""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


@click.group(help=__doc__.splitlines()[0])
def main() -> None:
    """One command a measurement."""


class BytesMoved(TorchDispatchMode):
    """Counts the bytes of all tensors that the operations inside read and write.

    Of an array that is read or written at some places only, those count, twice where they are added to.
    """

    bytes = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        """Count one operation; views move nothing."""
        result = operation(*args, **(kwargs or {}))
        name = operation.overloadpacket.__name__
        if name in ("index_add_", "index_copy_"):
            self.bytes += _size(args[2:]) + (2 if name == "index_add_" else 1) * _size(args[3])
        elif name == "gather":
            self.bytes += 2 * _size(result) + _size(args[2])
        elif not operation.is_view:
            # an operation in place returns what it was given: read and written
            self.bytes += _size((args, kwargs)) + _size(result)
        return result


def _size(values: object) -> int:
    tensors = [value for value in tree_leaves(values) if isinstance(value, torch.Tensor)]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


@main.command()
@click.option("--batch", default=64, show_default=True)
@click.option("--steps", default=2, show_default=True, help="Training steps to time, after one to warm up.")
def update(batch: int, steps: int) -> None:
    """A recorder's update beside a ResNet-50 training step at 256 x 128, in turn.

    The bytes are those of the batch and its sums in memory; where the sums live beside an accelerator, the logits
    cross to the host besides, once.
    """
    from torchvision.models import resnet50

    click.echo("| C | training step, s | update, ms | share | bytes moved, MB | of the logits' size |")
    click.echo("|---|---|---|---|---|---|")
    for classes in (1000, 10000):
        model = resnet50(num_classes=classes)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        images, labels = torch.randn(batch, 3, 256, 128), torch.randint(classes, (batch,))
        recorder = LogitRecorder(20000, classes)
        index = torch.randperm(20000)
        step_times, update_times = [], []
        for step in range(steps + 1):
            start = time.perf_counter()
            logits = model(images)
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(logits, labels).backward()
            optimizer.step()
            step_times.append(time.perf_counter() - start)
            for repeat in range(10):
                rows = index[(10 * step + repeat) * batch :][:batch]
                start = time.perf_counter()
                recorder.update(rows, logits, labels)
                update_times.append(time.perf_counter() - start)
        with BytesMoved() as moved:
            recorder.update(rows, logits, labels)
        step_time, update_time = np.median(step_times[1:]), np.median(update_times[10:])
        click.echo(
            f"| {classes} | {step_time:.2f} | {1e3 * update_time:.2f} | {update_time / step_time:.3%} | "
            f"{moved.bytes / 1e6:.2f} | {moved.bytes / (4 * batch * classes):.1f} |"
        )


@main.command()
def memory() -> None:
    """Peak memory of a recorder over two epochs of 64-sample batches against 4 N C bytes + 40 a visit."""
    click.echo("| N | C | formula, MiB | measured, MiB |")
    click.echo("|---|---|---|---|")
    for num_samples, classes in ((20000, 1000), (100000, 1000), (20000, 10000), (500000, 100)):
        _, before, peak = peak_memory(_record, num_samples, classes)
        formula = 4 * num_samples * classes + 40 * 2 * num_samples
        click.echo(f"| {num_samples} | {classes} | {formula / MIB:.0f} | {(peak - before) / MIB:.0f} |")


def _record(num_samples: int, classes: int) -> None:
    recorder = LogitRecorder(num_samples, classes, storage="host")
    logits = torch.randn(64, classes)
    for _ in range(2):
        for rows in torch.arange(num_samples).split(64):
            recorder.update(rows, logits[: len(rows)], rows % classes)
        recorder.end_epoch()


@main.command()
@click.option("--samples", default=100_000, show_default=True)
@click.option("--classes", default=1000, show_default=True)
def ranks(samples: int, classes: int) -> None:
    """What merging two ranks adds to the memory of each beyond the sum of its own logits."""
    with tempfile.TemporaryDirectory() as folder:
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            added = pool.starmap(
                _merge_rank, [(rank, folder, samples, classes) for rank in (0, 1)], chunksize=1
            )
        size = (Path(folder) / "merged" / "mean_logits.npy").stat().st_size
    click.echo(f"2 ranks, {samples} x {classes}: {size / MIB:.0f} MiB of logits on each; merging them added")
    for rank, (own, peak) in enumerate(added):
        click.echo(f"rank {rank}: {(peak - own) / MIB:.0f} MiB to {own / MIB:.0f} MiB")


def _merge_rank(rank: int, folder: str, samples: int, classes: int) -> tuple[int, int]:
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    recorder = LogitRecorder(samples, classes, storage="host")
    logits = torch.randn(64, classes)
    for rows in torch.arange(samples)[rank::2].split(64):
        recorder.update(rows, logits[: len(rows)], rows % classes)
    # all pages of the sum, also those of samples that only the other rank has seen
    recorder.logit_sum.tensor.add_(0)
    recorder.end_epoch()
    own = _high_water()
    merge_ranks(recorder, Path(folder) / "merged")
    torch.distributed.destroy_process_group()
    return own, _high_water()


@main.command()
def scoring() -> None:
    """Entropy of 30,000 x 1,000 mean logits against one pass of log_softmax over the same array."""
    logits = 3 * torch.randn(30000, 1000)
    array = logits.numpy()
    for _ in range(2):
        one_pass = seconds(lambda: torch.log_softmax(logits, 1), 9)
        entropy = seconds(lambda: entropy_of_logits(array), 9)
    click.echo(
        f"log_softmax {1e3 * one_pass:.0f} ms, entropy {1e3 * entropy:.0f} ms: {entropy / one_pass:.2f} times"
    )


@main.command()
@click.option("--samples", default=300_000, show_default=True)
@click.option("--classes", default=10_000, show_default=True)
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Where the file goes; the system's temporary folder."
)
def large(samples: int, classes: int, folder: Path | None) -> None:
    """Score mean logits that do not fit in memory, from disk."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        start = time.perf_counter()
        _write_large(Path(name), samples, classes)
        written = time.perf_counter() - start
        duration, before, peak = peak_memory(_score, name)
        size = (Path(name) / "mean_logits.npy").stat().st_size
    click.echo(
        f"{samples} x {classes}, {size / GIB:.1f} GiB on disk (written in {written:.0f} s): scored in "
        f"{duration:.0f} s, peak resident memory {peak / GIB:.2f} GiB ({before / GIB:.2f} GiB before)"
    )


class _Repeated:
    """Rows ``[N, C]`` made of one random block again and again."""

    def __init__(self, samples: int, classes: int) -> None:
        self.shape = (samples, classes)
        self._block = 3 * np.random.default_rng(0).standard_normal((2048, classes), dtype=np.float32)

    def __getitem__(self, rows: slice) -> np.ndarray:
        return self._block[np.arange(rows.start, rows.stop) % len(self._block)]


def _write_large(folder: Path, samples: int, classes: int) -> None:
    recorder = LogitRecorder(samples, 2)
    recorder.update(torch.arange(samples), torch.zeros(samples, 2), torch.zeros(samples, dtype=torch.int64))
    recorder.end_epoch()
    small = recorder.trajectory()
    save_trajectory(Trajectory(_Repeated(samples, classes), small.labels, small.epochs), folder)


def _score(folder: str, **options: object) -> float:
    start = time.perf_counter()
    scores.compute(load_trajectory(folder), "entropy", **options)
    return time.perf_counter() - start


@main.command()
@click.option("--epochs", default=4, show_default=True)
@click.option("--size", default=256, show_default=True, help="The features' size D.")
def features(epochs: int, size: int) -> None:
    """Time and memory of scoring from features and weights, at growing sizes, and what they extrapolate to."""
    click.echo(
        "| N | C | T D | on disk, MiB | as logits, MiB | scored in, s | GFLOP/s | peak memory over start, MiB |"
    )
    click.echo("|---|---|---|---|---|---|---|---|")
    for num_samples, classes in (
        (5000, 10000),
        (10000, 10000),
        (10000, 20000),
        (20000, 20000),
        (20000, 40000),
    ):
        with tempfile.TemporaryDirectory() as name:
            _record_features(Path(name), num_samples, classes, epochs, size)
            disk = sum(
                file.stat().st_size for file in Path(name).rglob("*.npy") if file.name != "features.npy"
            )
            disk += sum(file.stat().st_size for file in Path(name).rglob("factors/*/features.npy"))
            duration, before, peak = peak_memory(_score, name)
        speed = 2e-9 * num_samples * classes * epochs * size / duration
        as_logits = 4 * num_samples * classes / MIB
        click.echo(
            f"| {num_samples} | {classes} | {epochs * size} | {disk / MIB:.0f} | {as_logits:.0f} | {duration:.1f} | "
            f"{speed:.0f} | {(peak - before) / MIB:.0f} |"
        )
    operations = 2 * 10e6 * 100e3 * 12 * 512
    click.echo(
        f"10 M x 100 k, T = 12, D = 512: {4 * 12 * (10e6 + 100e3) * 512 / 1e9:.0f} GB on disk instead of 4,000 GB; "
        f"{operations:.1e} operations: {operations / speed / 1e9 / 86400:.1f} days at this machine's speed, "
        f"{operations / 40e12 / 60:.0f} minutes at 40 TFLOP/s (device='cuda')"
    )


def _record_features(folder: Path, num_samples: int, classes: int, epochs: int, size: int) -> None:
    recorder = FeatureRecorder(num_samples, classes, folder)
    for epoch in range(epochs):
        generator = torch.Generator().manual_seed(epoch)
        recorder.begin_epoch(torch.randn(classes, size, generator=generator))
        for rows in torch.arange(num_samples).split(1000):
            recorder.update(rows, torch.randn(len(rows), size, generator=generator), rows % classes)
        recorder.end_epoch()
    recorder.save()


if __name__ == "__main__":
    main()
