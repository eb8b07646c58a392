"""The hook that captures the head's logits during a scoring run."""

import logging
import shutil
from pathlib import Path

import torch
import torch.distributed as dist
from fastreid.engine.train_loop import HookBase
from fastreid.utils import comm
from torch.nn.parallel import DistributedDataParallel

from fastreid_prune.plugin.compat.loaders import loading_for
from fastreid_prune.plugin.data import data_root
from fastreid_prune.plugin.finish import WHOLE, finish_run, gloo_group
from fastreid_prune.plugin.heads import HeadTap, clean_logits, find_head
from fastreid_prune.plugin.state import CaptureState
from fastreid_prune.plugin.tensorboard import put_findings, write_findings
from fastreid_prune.trajectory import LogitRecorder
from fastreid_prune.trajectory.ranks import unvisited_by_all

logger = logging.getLogger("fastreid.prune")


class CaptureHook(HookBase):
    """Records the logits of every training sample over the epochs, and writes ``OUTPUT_DIR/prune`` at the end.

    In ``train`` mode they are those of the training forwards. In ``eval`` mode one clean pass over the training set
    follows each epoch. Either way a last clean pass gives the features, and in ``train`` mode the logits of samples
    that no batch has held.
    """

    def __init__(self, cfg, model: torch.nn.Module, data_loader):
        """Prepare for a trainer's model and train loader.

        Raises:
            FastreidPruneError: the model's head or the training set cannot be captured.
        """
        self.cfg = cfg
        self.folder = Path(cfg.OUTPUT_DIR) / "prune"
        self.model = model.module if isinstance(model, DistributedDataParallel) else model
        self.dataset = data_loader.dataset
        self.head_name, self.head = find_head(self.model, cfg.PRUNE.CAPTURE.HEAD)
        self.samples = self.dataset.samples()
        self.in_eval = cfg.PRUNE.CAPTURE.MODE == "eval"
        self.recorder = LogitRecorder(
            len(self.samples),
            cfg.MODEL.HEADS.NUM_CLASSES,
            samples=self.samples,
            head=self.head_name,
            folder=self.folder,
            keep_logits=self.whole_folder() if cfg.PRUNE.CAPTURE.KEEP_LOGITS else None,
        )
        self.state = CaptureState(cfg.PRUNE.CAPTURE.MODE, self.recorder, self.samples, self.folder / "state")
        self.tap: HeadTap | None = None

    def whole_folder(self) -> Path:
        """Where this rank keeps the logits of every epoch; those of several ranks are merged at the end."""
        alone = comm.get_world_size() == 1
        return self.folder / WHOLE if alone else self.folder / "state" / f"logits.rank{comm.get_rank()}"

    def before_train(self) -> None:
        """Take up a resumed run's state, or start anew; listen to the head."""
        self.state.begin(self.trainer.start_epoch)
        if self.trainer.start_epoch == 0:
            # an earlier run's into the same folder would pass for this one's
            for folder in (self.folder / WHOLE, self.whole_folder()):
                shutil.rmtree(folder, ignore_errors=True)
        if not self.in_eval:
            self.tap = HeadTap(self.model, self.head, self.recorder.update)
        logger.info(
            f"Capturing the logits of {self.head_name!r} in {self.cfg.PRUNE.CAPTURE.MODE} mode: {len(self.samples)} "
            f"samples, {self.cfg.MODEL.HEADS.NUM_CLASSES} classes."
        )

    def before_step(self) -> None:
        """From here the model's forward is a training step."""
        if self.tap:
            self.tap.is_open = True

    def after_step(self) -> None:
        """What runs between the steps (evaluation, precise BN) is not training."""
        if self.tap:
            self.tap.is_open = False

    def after_epoch(self) -> None:
        """Close the epoch, and save the state that the checkpoint of this epoch belongs to."""
        if self.in_eval:
            self.clean_pass(f"epoch {self.trainer.epoch}")
        self.recorder.end_epoch()
        epoch, last = self.trainer.epoch, self.trainer.max_epoch - 1
        if epoch >= last or (epoch + 1) % self.cfg.SOLVER.CHECKPOINT_PERIOD == 0:
            self.state.save(epoch)

    def after_train(self) -> None:
        """After the last epoch: the closing clean pass, then the files. After anything else: nothing."""
        if self.tap:
            self.tap.close()
        if self.recorder.num_epochs < self.trainer.max_epoch:
            return
        if not self.in_eval:
            self.fill()
        finish_run(self.cfg, self.recorder, self.dataset, self.folder, self.state.run)
        if comm.get_world_size() > 1:
            shutil.rmtree(self.whole_folder(), ignore_errors=True)
        if comm.is_main_process():
            put_findings(self.folder, data_root())
            write_findings(self.trainer)
        self.state.discard()

    def fill(self) -> None:
        """Give the samples that sampling never visited one observation, and every sample its features."""
        rows = (
            unvisited_by_all(self.recorder, gloo_group())
            if comm.get_world_size() > 1
            else self.recorder.unvisited()
        )
        unvisited = torch.zeros(len(self.samples), dtype=torch.bool)
        unvisited[torch.from_numpy(rows)] = True

        def record(sample_index, logits, labels, features):
            self.recorder.features.put(sample_index, features)
            new = unvisited.to(sample_index.device)[sample_index]
            if new.any():
                self.recorder.update(sample_index[new], logits[new], labels[new])

        self.clean_pass("the closing pass", record)
        self.recorder.end_fill()
        if comm.get_world_size() > 1:
            # Each rank has the features of its share of the closing pass, whichever ranks trained on those samples.
            features = self.recorder.features.tensor
            dist.all_reduce(features.nan_to_num_(0.0))
        logger.info(
            f"{len(rows)} of {len(self.samples)} samples were never in a batch: observed once, in the closing pass."
        )

    def clean_pass(self, what: str, record=None) -> None:
        """Run every sample of this rank's share through the model in evaluation mode, once, in order."""
        from fastreid.data import build_reid_test_loader

        with loading_for(self.cfg.MODEL.DEVICE):
            loader, _ = build_reid_test_loader(
                self.dataset.with_test_transforms(self.cfg),
                test_batch_size=self.cfg.TEST.IMS_PER_BATCH,
                num_query=0,
            )
        logger.info(f"Clean pass over the training set ({what})")
        with clean_logits(self.model, self.head, record or self.recorder.update) as run:
            for inputs in loader:
                run(inputs)
        comm.synchronize()
