"""The hook that records what a run cost and what came of it."""

import json
import os
import resource
import time
from pathlib import Path

from fastreid.engine.train_loop import HookBase
from fastreid.utils import comm

from fastreid_prune.io.files import written_whole


class RunRecord(HookBase):
    """Writes ``OUTPUT_DIR/prune/run.json``: images seen, seconds of wall and processor time, the last evaluation.

    The seconds are those of this process (rank 0, with its loading workers); a resumed run adds to those before it.
    """

    def __init__(self, cfg):
        self.cfg = cfg
        self.path = Path(cfg.OUTPUT_DIR) / "prune" / "run.json"
        self.training_seconds = 0.0
        self.earlier = {"training_seconds": 0.0, "wall_seconds": 0.0, "cpu_seconds": 0.0}
        self._wall = self._cpu = self._epoch_started = self._step_ended = 0.0
        self._began = False

    def before_train(self) -> None:
        """Take up what earlier sittings of this run have cost."""
        if self.trainer.start_epoch > 0 and self.path.exists():
            known = json.loads(self.path.read_text())
            self.earlier = {key: known.get(key, 0.0) for key in self.earlier}
        self._wall, self._cpu = time.perf_counter(), cpu_seconds()
        self._began = True

    def before_epoch(self) -> None:
        """The clock of training alone starts."""
        self._epoch_started = time.perf_counter()

    def after_step(self) -> None:
        """And stops with the epoch's last step: what other hooks do after the epoch is not training."""
        self._step_ended = time.perf_counter()

    def after_epoch(self) -> None:
        """Add the epoch."""
        self.training_seconds += self._step_ended - self._epoch_started
        self.write()

    def after_train(self) -> None:
        """Write the record with what the last evaluation found, also of a run that was interrupted."""
        if self._began:
            self.write()

    def write(self) -> None:
        """Write the record as far as the run has come."""
        if not comm.is_main_process():
            return
        trainer, cfg = self.trainer, self.cfg
        dataset = trainer.data_loader.dataset
        epochs = getattr(trainer, "epoch", -1) + 1
        record = {
            "images": len(dataset),
            "identities": dataset.num_classes,
            "epochs": epochs,
            "images_seen": epochs * trainer.iters_per_epoch * cfg.SOLVER.IMS_PER_BATCH,
            "training_seconds": self.earlier["training_seconds"] + self.training_seconds,
            "wall_seconds": self.earlier["wall_seconds"] + time.perf_counter() - self._wall,
            "cpu_seconds": self.earlier["cpu_seconds"] + cpu_seconds() - self._cpu,
            "processes": comm.get_world_size(),
            "device": cfg.MODEL.DEVICE,
            "seed": cfg.PRUNE.SEED,
            "manifest": os.path.abspath(cfg.PRUNE.MANIFEST) if cfg.PRUNE.MANIFEST else "",
            "complete": epochs >= trainer.max_epoch,
            "results": _plain(getattr(trainer, "_last_eval_results", None) or {}),
        }
        with written_whole(self.path) as temporary:
            temporary.write_text(json.dumps(record, indent=1) + "\n")


def cpu_seconds() -> float:
    """Processor time of this process and of its children that have ended."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def _plain(results) -> dict:
    return {
        str(key): _plain(value)
        if isinstance(value, dict)
        else (value if isinstance(value, str) else float(value))
        for key, value in results.items()
    }
