"""What the capture adds to a training step of ResNet-50 at 256 x 128, batch 64, AMP."""

import gc
import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch

import fastreid_prune
from fastreid_prune.plugin.heads import HeadTap, find_head
from fastreid_prune.plugin.pending import BATCHES, PendingBatches
from fastreid_prune.trajectory import LogitRecorder
from gpu_checks.registry import Context, check

STEPS = BATCHES
WAYS = ("without", "captured")
MOST = 0.01  # of a step's time


class Batch:
    """The same batch, again and again, on the device."""

    def __init__(self, classes: int, size: int) -> None:
        generator = torch.Generator().manual_seed(0)
        self._images = torch.randint(256, (size, 3, 256, 128), generator=generator).float().cuda()
        labels = torch.arange(size) // 4 % classes
        self._rest = {"targets": labels.cuda(), "sample_index": torch.arange(size).cuda()}

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        while True:
            yield {"images": self._images.clone(), **self._rest}  # the model normalises its images in place


class Bench:
    """fastreid's own trainer and model, with and without a recorder."""

    def __init__(self, classes: int) -> None:
        fastreid_prune.register()
        from fastreid.config import get_cfg
        from fastreid.engine.train_loop import AMPTrainer
        from fastreid.modeling import build_model
        from fastreid.solver import build_optimizer

        cfg = get_cfg()
        cfg.merge_from_file("configs/Market1501/score_R50.yml")
        cfg.merge_from_list(["MODEL.BACKBONE.PRETRAIN", "False", "MODEL.HEADS.NUM_CLASSES", str(classes)])
        torch.backends.cudnn.benchmark = True
        self.model = build_model(cfg)
        self.trainer = AMPTrainer(self.model, Batch(classes, 64), *build_optimizer(cfg, self.model))
        _, self.head = find_head(self.model)
        self.recorder = LogitRecorder(20_000, classes)

        self.inside = self.captured = self.on_device = 0.0

    def seconds(self, way: str) -> float:
        """A step's."""
        pending = PendingBatches(self.recorder)
        tap = None
        if way == "captured":
            tap = HeadTap(self.model, self.head, self.inside_of(pending.put))
        if tap:
            tap.is_open = True
        after_step = self.inside_of(pending.after_step)
        torch.cuda.synchronize()
        began = time.perf_counter()
        for _ in range(STEPS):
            self.trainer.run_step()
            if way == "captured":
                after_step()
        torch.cuda.synchronize()
        elapsed = time.perf_counter() - began
        if tap:
            tap.close()
            self.recorder.end_epoch()
        if way == "captured":
            self.captured += elapsed
        return elapsed / STEPS

    def inside_of(self, function: Callable[..., None]) -> Callable[..., None]:
        """The function, with its seconds on the processor added up."""

        def timed(*arguments: torch.Tensor) -> None:
            began = time.perf_counter()
            function(*arguments)
            self.inside += time.perf_counter() - began

        return timed

    def kernels(self) -> float:
        """Seconds a step that the recording keeps the device busy, alone on it."""
        classes = self.recorder.log.num_classes
        index, labels = torch.arange(64).cuda(), (torch.arange(64) // 4 % classes).cuda()
        logits, features = torch.randn(64, classes).cuda().half(), torch.randn(64, 2048).cuda().half()
        pending = PendingBatches(self.recorder)
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        seconds = []
        for _ in range(30):
            for _ in range(BATCHES):
                pending.put(index, logits, labels, features)
            torch.cuda.synchronize()
            torch.cuda._sleep(20_000_000)  # all launches are queued before the first is run
            begin.record()
            pending.after_step()
            end.record()
            end.synchronize()
            seconds.append(begin.elapsed_time(end) / 1e3 / BATCHES)
        self.recorder.end_epoch()
        return float(np.median(seconds))


@check("capture-cost")
def capture_cost(context: Context) -> str:
    """Rounds of all ways in turn, their order changing; the median of the ratios and its 95 % interval."""
    context.needs_gpu()
    from fastreid.utils.events import EventStorage

    lines, too_much, rounds = [], [], 6 if context.small else 40
    gc.collect()
    gc.disable()
    for classes in (751, 1041, 10_000):
        bench = Bench(classes)
        found: dict[str, list[float]] = {way: [] for way in WAYS}
        with EventStorage() as bench.trainer.storage:
            bench.trainer.iter = 0
            for number in range(-2, rounds):
                shift = number % len(WAYS)
                for way in WAYS[shift:] + WAYS[:shift]:
                    seconds = bench.seconds(way)
                    if number >= 0:
                        found[way].append(seconds)
                if number < 0:
                    bench.inside = bench.captured = 0.0
        base, figures = np.array(found["without"]), {}
        for way in WAYS[1:]:
            ratio = np.array(found[way]) / base
            drawn = np.random.default_rng(0).choice(ratio, (2000, rounds))
            low, high = np.quantile(np.median(drawn, axis=1), (0.025, 0.975))
            figures[way] = (float(np.median(ratio)), float(low), float(high))
        step, inside = statistics.median(found["without"]), bench.inside / bench.captured
        kernels = bench.kernels()
        median, low, high = figures["captured"]
        context.figures[str(classes)] = {
            "step s": step, "ratio": median, "low": low, "high": high, "processor share": inside,
            "device share": kernels / step, "rounds": np.stack([found[way] for way in WAYS]).round(6).tolist(),
        }  # fmt: skip
        lines.append(
            f"C = {classes:,}: step {1e3 * step:.1f} ms, paired ratio {median:.4f} ({low:.4f} to {high:.4f}); our code "
            f"takes {inside:.2%} of the step on the processor and {kernels / step:.2%} on the device"
        )
        too_much += [classes] * (inside + kernels / step > MOST or low > 1 + MOST)
    gc.enable()
    assert not too_much, "; ".join(lines)
    return "; ".join(lines)
