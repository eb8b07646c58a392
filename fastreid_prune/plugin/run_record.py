"""The hook that records what a run cost and what came of it."""

import json
import logging
import os
import resource
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastreid.engine.train_loop import HookBase
from fastreid.utils import comm
from yacs.config import CfgNode

from fastreid_prune.io.files import written_whole

logger = logging.getLogger("fastreid.prune")


class RunRecord(HookBase):
    """Writes ``OUTPUT_DIR/prune/run.json``: images processed, seconds of wall and processor time, the last evaluation.

    The images are those that went forward and backward on the way to the weights, epoch by epoch; what a killed run did
    beyond its last checkpoint is not among them. The seconds are those of this process (rank 0, with its loading
    workers); a resumed run adds to those before it.
    """

    def __init__(self, cfg: CfgNode, whole_iterations: int) -> None:
        """Of a run that takes ``whole_iterations`` an epoch while it trains on everything."""
        self.cfg = cfg
        self.path = Path(cfg.OUTPUT_DIR) / "prune" / "run.json"
        self.whole_iterations = whole_iterations
        self.iterations: list[int] = []
        self.training_seconds = 0.0
        self.earlier = {"training_seconds": 0.0, "wall_seconds": 0.0, "cpu_seconds": 0.0}
        self._wall = self._cpu = self._epoch_started = self._step_ended = 0.0
        self._steps = 0
        self._began = False

    def before_train(self) -> None:
        """Take up what earlier sittings of this run have cost."""
        start = self.trainer.start_epoch
        if start > 0 and self.path.exists():
            known = json.loads(self.path.read_text())
            self.earlier = {key: known.get(key, 0.0) for key in self.earlier}
            self.iterations = list(known.get("iterations", []))[:start]
        # a record of an earlier version, or none: its epochs were all alike
        self.iterations += [self.whole_iterations] * (start - len(self.iterations))
        self._wall, self._cpu = time.perf_counter(), cpu_seconds()
        self._began = True

    def before_epoch(self) -> None:
        """The clock of training alone starts."""
        self._epoch_started, self._steps = time.perf_counter(), 0

    def after_step(self) -> None:
        """And stops with the epoch's last step: what other hooks do after the epoch is not training."""
        self._step_ended = time.perf_counter()
        self._steps += 1

    def after_epoch(self) -> None:
        """Add the epoch."""
        self.training_seconds += self._step_ended - self._epoch_started
        self.iterations.append(self._steps)
        self.write()

    def after_train(self) -> None:
        """Write the record with what the last evaluation found, also of a run that was interrupted."""
        if self._began:
            record = self.write()
            if (
                record["complete"]
                and record["images_seen"] < record["images_whole"]
                and comm.is_main_process()
            ):
                logger.info(saving(record))

    def write(self) -> dict[str, Any]:
        """Write the record as far as the run has come, and return it."""
        trainer, cfg = self.trainer, self.cfg
        dataset, batch = trainer.data_loader.dataset, cfg.SOLVER.IMS_PER_BATCH
        epochs = len(self.iterations)
        record = {
            "images": len(dataset),
            "identities": dataset.num_classes,
            "epochs": epochs,
            "iterations": self.iterations,
            "images_seen": sum(self.iterations) * batch,
            "images_whole": epochs * self.whole_iterations * batch,
            "training_seconds": self.earlier["training_seconds"] + self.training_seconds,
            "wall_seconds": self.earlier["wall_seconds"] + time.perf_counter() - self._wall,
            "cpu_seconds": self.earlier["cpu_seconds"] + cpu_seconds() - self._cpu,
            "processes": comm.get_world_size(),
            "device": cfg.MODEL.DEVICE,
            "seed": cfg.PRUNE.SEED,
            "manifest": os.path.abspath(cfg.PRUNE.MANIFEST) if cfg.PRUNE.MANIFEST else "",
            "method": cfg.PRUNE.METHOD if cfg.PRUNE.IN_RUN.ENABLED else "",
            "complete": epochs >= trainer.max_epoch,
            "results": _plain(getattr(trainer, "_last_eval_results", None) or {}),
        }
        if comm.is_main_process():
            with written_whole(self.path) as temporary:
                temporary.write_text(json.dumps(record, indent=1) + "\n")
        return record


def saving(record: Mapping[str, Any]) -> str:
    """One sentence: what a run saved against training on everything for as many epochs.

    >>> saving({"images_seen": 7500, "images_whole": 10000, "training_seconds": 30.0})
    '7500 images were processed, 25 % fewer than on everything (10000); at this run's speed that is 10 s of 40 s.'
    """
    seen, whole, seconds = record["images_seen"], record["images_whole"], record["training_seconds"]
    expected = seconds * whole / max(seen, 1)
    return (
        f"{seen} images were processed, {100 * (1 - seen / whole):.0f} % fewer than on everything ({whole}); at this "
        f"run's speed that is {expected - seconds:.0f} s of {expected:.0f} s."
    )


def cpu_seconds() -> float:
    """Processor time of this process and of its children that have ended."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def _plain(results: Mapping[str, Any]) -> dict[str, Any]:
    return {
        str(key): _plain(value)
        if isinstance(value, dict)
        else (value if isinstance(value, str) else float(value))
        for key, value in results.items()
    }
