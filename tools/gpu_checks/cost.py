"""What the capture adds to a training step of ResNet-50 at 256 x 128, batch 64, AMP."""

import statistics
import time
from collections.abc import Iterator

import numpy as np
import torch

import fastreid_prune
from fastreid_prune.plugin.heads import HeadTap, find_head
from fastreid_prune.plugin.pending import BATCHES, PendingBatches
from fastreid_prune.trajectory import LogitRecorder
from gpu_checks.registry import Context, check

STEPS = 2 * BATCHES
WAYS = ("without", "captured", "at once")
MOST = 1.01  # of a step's time


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

    def seconds(self, way: str) -> float:
        """A step's."""
        pending = PendingBatches(self.recorder)
        tap = None
        if way == "captured":
            tap = HeadTap(self.model, self.head, pending.put)
        elif way == "at once":
            tap = HeadTap(self.model, self.head, self.record)
        if tap:
            tap.is_open = True
        torch.cuda.synchronize()
        began = time.perf_counter()
        for _ in range(STEPS):
            self.trainer.run_step()
            pending.after_step()
        torch.cuda.synchronize()
        elapsed = time.perf_counter() - began
        if tap:
            tap.close()
            self.recorder.end_epoch()
        return elapsed / STEPS

    def record(self, *observed: torch.Tensor) -> None:
        """Each batch by itself, inside the forward."""
        index, logits, labels, features = observed
        self.recorder.update(index, logits, labels, training_features=features)


@check("capture-cost")
def capture_cost(context: Context) -> str:
    """Rounds of all ways in turn, their order changing; the median of the ratios and its 95 % interval."""
    context.needs_gpu()
    from fastreid.utils.events import EventStorage

    lines, rounds = [], 6 if context.small else 24
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
        base, figures = np.array(found["without"]), {}
        for way in WAYS[1:]:
            ratio = np.array(found[way]) / base
            drawn = np.random.default_rng(0).choice(ratio, (2000, rounds))
            low, high = np.quantile(np.median(drawn, axis=1), (0.025, 0.975))
            figures[way] = (float(np.median(ratio)), float(low), float(high))
        context.figures[classes] = {"step s": statistics.median(found["without"]), **figures}
        median, low, high = figures["captured"]
        lines.append(
            f"C = {classes:,}: step {1e3 * statistics.median(found['without']):.1f} ms, ratio {median:.4f} "
            f"({low:.4f} to {high:.4f}); each batch at once {figures['at once'][0]:.4f}"
        )
    assert all(context.figures[c]["captured"][1] <= MOST for c in (751, 1041, 10_000)), "; ".join(lines)
    return "; ".join(lines)
