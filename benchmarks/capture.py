#!/usr/bin/env python
"""What the capture adds to a training step in `train` mode.

The same steps are run with and without the capture in turn, in one process, on the same batches: short rounds of one
measurement each, whose order alternates, so that whatever else the machine does falls on both alike. Printed are the
medians of both sides and of the rounds' ratios with its 95 % interval, by the clock and by processor time; and, of the
time with the capture, the share spent inside its hook.

    export FASTREID_DATASETS=path/to/datasets
    python benchmarks/capture.py --config-file configs/Market1501/score_R50.yml --rounds 20 --steps 1 \
        MODEL.DEVICE cpu MODEL.BACKBONE.PRETRAIN False
"""

import argparse
import tempfile
import time

import fastreid_prune

fastreid_prune.register()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from fastreid.config import get_cfg  # noqa: E402
from fastreid.engine import DefaultTrainer  # noqa: E402
from fastreid.utils.events import EventStorage  # noqa: E402

from fastreid_prune.plugin.heads import HeadTap, find_head  # noqa: E402
from fastreid_prune.plugin.pending import PendingBatches  # noqa: E402
from fastreid_prune.trajectory import LogitRecorder  # noqa: E402

CLOCKS = {"clock": time.perf_counter, "processor time": time.process_time}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config-file", required=True)
    parser.add_argument("--rounds", type=int, default=40, help="pairs of measurements")
    parser.add_argument("--steps", type=int, default=2, help="training steps a measurement")
    parser.add_argument("opts", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cfg = get_cfg()
        cfg.merge_from_file(arguments.config_file)
        cfg.merge_from_list([*arguments.opts, "OUTPUT_DIR", folder])
        bench = Bench(DefaultTrainer(cfg), arguments.steps)
        seconds = bench.measure(arguments.rounds)
    print(f"{arguments.rounds} rounds of {arguments.steps} + {arguments.steps} steps, {bench.what}")
    for column, name in enumerate(CLOCKS):
        without, captured = seconds[:, 0, column], seconds[:, 1, column]
        ratio = captured / without
        low, high = interval_of_median(ratio)
        print(
            f"{name}: without {np.median(without):.4f} s a step, with {np.median(captured):.4f} s, "
            f"ratio {np.median(ratio):.4f} ({low:.4f} to {high:.4f}; rounds {ratio.min():.3f} to {ratio.max():.3f})"
        )
    print(f"inside the hook: {bench.inside / bench.captured:.4f} of a step's time with the capture")


class Bench:
    """A trainer whose steps are run on the same batches, with and without a recorder listening.

    Attributes:
        inside: seconds spent in the recorder so far, ``captured``: seconds of the steps with it.
    """

    def __init__(self, trainer: DefaultTrainer, steps: int):
        self.trainer = trainer._trainer
        self.model = trainer.model
        dataset = trainer.data_loader.dataset
        self.recorder = LogitRecorder(len(dataset), dataset.num_classes)
        self.pending = PendingBatches(self.recorder)
        _, self.head = find_head(self.model)
        self.batches = [next(self.trainer._data_loader_iter) for _ in range(steps)]
        images = self.batches[0]["images"]
        self.what = (
            f"{list(images.shape)} images, {dataset.num_classes} classes, {images.device}, "
            f"{torch.get_num_threads()} threads"
        )
        self.inside = self.captured = 0.0

    def measure(self, rounds: int) -> np.ndarray:
        """Seconds a step, ``[rounds, 2, 2]``: without and with the capture, by the clock and of the processor."""
        seconds = np.empty((rounds, 2, len(CLOCKS)))
        with EventStorage() as self.trainer.storage:
            self.trainer.iter = 0
            for number in range(-2, rounds):
                for captured in (0, 1) if number % 2 else (1, 0):
                    elapsed = self.timed(bool(captured))
                    if number >= 0:
                        seconds[number, captured] = elapsed
                if number < 0:
                    self.inside = self.captured = 0.0
        return seconds

    def timed(self, captured: bool) -> list[float]:
        """Seconds a step by each clock, over one step a batch."""
        # The model normalises its batch in place: give every measurement the same one.
        self.trainer._data_loader_iter = iter(
            [{**batch, "images": batch["images"].clone()} for batch in self.batches]
        )
        tap = HeadTap(self.model, self.head, self.keep) if captured else None
        if tap:
            tap.is_open = True
        synchronise()
        began = [clock() for clock in CLOCKS.values()]
        for _ in self.batches:
            self.trainer.run_step()
            if captured:
                self.timed_inside(self.pending.after_step)
        if captured:
            self.timed_inside(self.pending.record)
        synchronise()
        elapsed = [clock() - start for clock, start in zip(CLOCKS.values(), began, strict=True)]
        if tap:
            tap.close()
            self.captured += elapsed[0]
        return [one / len(self.batches) for one in elapsed]

    def keep(self, *observed) -> None:
        """What the hook does inside the forward, timed."""
        self.timed_inside(lambda: self.pending.put(*observed))

    def timed_inside(self, work) -> None:
        """Add the seconds of ``work`` to those spent in the capture."""
        began = time.perf_counter()
        work()
        self.inside += time.perf_counter() - began


def interval_of_median(values: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of a median by resampling."""
    drawn = np.random.default_rng(0).choice(values, (2000, len(values)))
    low, high = np.quantile(np.median(drawn, axis=1), (0.025, 0.975))
    return float(low), float(high)


def synchronise() -> None:
    """Wait for the device."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
