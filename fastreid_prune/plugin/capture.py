"""The hook that captures the head's logits during a scoring run."""

import logging
from pathlib import Path

import torch
import torch.distributed as dist
from fastreid.engine.train_loop import HookBase
from fastreid.utils import comm
from torch.nn.parallel import DistributedDataParallel

from fastreid_prune.plugin.clean_pass import CleanPass
from fastreid_prune.plugin.data import data_root
from fastreid_prune.plugin.finish import finish_run, gloo_group
from fastreid_prune.plugin.heads import HeadTap, find_head
from fastreid_prune.plugin.pending import PendingBatches
from fastreid_prune.plugin.recording import clean_recording, make_recorder
from fastreid_prune.plugin.state import CaptureState
from fastreid_prune.plugin.tensorboard import put_findings, write_findings
from fastreid_prune.trajectory.ranks import unvisited_by_all

logger = logging.getLogger("fastreid.prune")


class CaptureHook(HookBase):
    """Records the logits of every training sample over the epochs, and writes ``OUTPUT_DIR/prune`` at the end.

    In ``train`` mode they are those of the training forwards. In ``eval`` mode one clean pass over the training set
    follows each epoch. Either way a last clean pass gives the features, to which ``train`` mode adds those of the
    training forwards; there it also gives the logits of samples that no batch has held.
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
        self.recorder = make_recorder(cfg, self.samples, self.head_name, self.folder)
        self.state = CaptureState(
            self.recorder,
            self.samples,
            self.folder,
            mode=cfg.PRUNE.CAPTURE.MODE,
            keeps=f"{type(self.recorder).__name__}, logits {cfg.PRUNE.CAPTURE.KEEP_LOGITS}",
        )
        self.clean_pass = CleanPass(cfg, self.model, self.head, self.dataset)
        self.tap: HeadTap | None = None
        self.pending = PendingBatches(self.recorder)
        self._is_ready = False

    def prepare(self) -> None:
        """Take up a resumed run's state, or start anew.

        Raises:
            FastreidPruneError: the state does not match the checkpoint, or the head cannot be read.
        """
        self._is_ready = True
        self.clean_pass.rehearse(self.cfg.MODEL.HEADS.NUM_CLASSES, factored=self.cfg.PRUNE.CAPTURE.FACTORED)
        self.state.begin(self.trainer.start_epoch)

    def before_train(self) -> None:
        """Listen to the head."""
        if not self._is_ready:
            self.prepare()
        if not self.in_eval:
            self.tap = HeadTap(self.model, self.head, self.pending.put)
        logger.info(
            f"Capturing the logits of {self.head_name!r} in {self.cfg.PRUNE.CAPTURE.MODE} mode: {len(self.samples)} "
            f"samples, {self.cfg.MODEL.HEADS.NUM_CLASSES} classes."
        )

    def before_step(self) -> None:
        """From here the model's forward is a training step."""
        if self.tap:
            self.tap.is_open = True

    def after_step(self) -> None:
        """What runs between the steps (evaluation, precise BN) is not training; what the step said is recorded now."""
        if self.tap:
            self.tap.is_open = False
        self.pending.after_step()

    def after_epoch(self) -> None:
        """Close the epoch, and save the state that the checkpoint of this epoch belongs to."""
        epoch, last = self.trainer.epoch, self.trainer.max_epoch - 1
        self.pending.record()
        if self.in_eval:
            self.clean_pass(f"epoch {epoch}", clean_recording(self.recorder, self.head))
        self.recorder.end_epoch()
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
        device = next(self.model.parameters()).device
        unvisited = torch.zeros(len(self.samples), dtype=torch.bool, device=device)
        unvisited[torch.from_numpy(rows).to(device)] = True

        def record(sample_index, logits, labels, features):
            self.recorder.features.put(sample_index, features)
            if len(rows):
                new = unvisited[sample_index].nonzero().squeeze(1)
                self.recorder.update(sample_index[new], logits[new], labels[new])

        self.clean_pass("the closing pass", record)
        self.recorder.end_fill()
        if comm.get_world_size() > 1:
            # Each rank has the features of its share of the closing pass, whichever ranks trained on those samples.
            features = self.recorder.features.tensor
            group = gloo_group() if features.device.type == "cpu" else None
            dist.all_reduce(features.nan_to_num_(0.0), group=group)
        logger.info(
            f"{len(rows)} of {len(self.samples)} samples were never in a batch: observed once, in the closing pass."
        )
