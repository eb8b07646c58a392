#!/usr/bin/env python
"""What the capture adds to a training step in `train` mode.

The same steps are run with and without the capture in turn, in one process, on the same batches; printed are the
seconds of both and their ratio, from the medians of the rounds.

    export FASTREID_DATASETS=path/to/datasets
    python tools/benchmark_capture.py --config-file configs/Market1501/score_R50.yml \
        --rounds 10 --steps 2 MODEL.DEVICE cpu MODEL.BACKBONE.PRETRAIN False
"""

import argparse
import statistics
import tempfile
import time

import fastreid_prune

fastreid_prune.register()

import torch  # noqa: E402
from fastreid.config import get_cfg  # noqa: E402
from fastreid.engine import DefaultTrainer  # noqa: E402
from fastreid.utils.events import EventStorage  # noqa: E402

from fastreid_prune.plugin.heads import HeadTap, find_head  # noqa: E402
from fastreid_prune.trajectory import LogitRecorder  # noqa: E402


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config-file", required=True)
    parser.add_argument("--rounds", type=int, default=10, help="pairs of measurements")
    parser.add_argument("--steps", type=int, default=3, help="training steps a measurement")
    parser.add_argument("opts", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cfg = get_cfg()
        cfg.merge_from_file(arguments.config_file)
        cfg.merge_from_list([*arguments.opts, "OUTPUT_DIR", folder])
        without, with_capture = measure(DefaultTrainer(cfg), cfg, arguments.rounds, arguments.steps)
    ratios = [captured / plain for plain, captured in zip(without, with_capture, strict=True)]
    print(
        f"without capture: {statistics.median(without):.4f} s a step (min {min(without):.4f}, max {max(without):.4f})"
    )
    print(f"with capture:    {statistics.median(with_capture):.4f} s a step")
    print(
        f"ratio:           {statistics.median(ratios):.4f} (rounds from {min(ratios):.4f} to {max(ratios):.4f})"
    )


def measure(trainer: DefaultTrainer, cfg, rounds: int, steps: int) -> tuple[list[float], list[float]]:
    """Seconds a step of each round: without, with. The order within a round alternates."""
    inner = trainer._trainer
    dataset = trainer.data_loader.dataset
    recorder = LogitRecorder(len(dataset), dataset.num_classes)
    _, head = find_head(trainer.model)
    batches = [next(inner._data_loader_iter) for _ in range(steps)]
    seconds: dict[bool, list[float]] = {False: [], True: []}
    with EventStorage() as inner.storage:
        inner.iter = 0
        for number in range(-1, rounds):
            for captured in (False, True) if number % 2 else (True, False):
                elapsed = timed(trainer, recorder, head, batches, captured)
                if number >= 0:
                    seconds[captured].append(elapsed / steps)
    return seconds[False], seconds[True]


def timed(trainer, recorder, head, batches, captured: bool) -> float:
    """Seconds of one training step a batch."""
    inner = trainer._trainer
    # The model normalises its batch in place: give every measurement the same one.
    inner._data_loader_iter = iter([{**batch, "images": batch["images"].clone()} for batch in batches])
    tap = HeadTap(trainer.model, head, recorder.update) if captured else None
    if tap:
        tap.is_open = True
    synchronise()
    began = time.perf_counter()
    for _ in batches:
        inner.run_step()
    synchronise()
    elapsed = time.perf_counter() - began
    if tap:
        tap.close()
    return elapsed


def synchronise() -> None:
    """Wait for the device."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
