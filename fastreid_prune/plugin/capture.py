"""The hook that captures the head's logits during a scoring run."""

import logging
from pathlib import Path
from typing import Any

import torch
from fastreid.engine.train_loop import HookBase
from fastreid.utils import comm
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel
from yacs.config import CfgNode

from fastreid_prune.plugin.clean_pass import CleanPass
from fastreid_prune.plugin.finish import finish_run
from fastreid_prune.plugin.heads import HeadTap, find_head
from fastreid_prune.plugin.pending import PendingBatches
from fastreid_prune.plugin.ranks import patient_group, sum_over_ranks
from fastreid_prune.plugin.reading import data_root
from fastreid_prune.plugin.recording import clean_recording, make_recorder
from fastreid_prune.plugin.state import CaptureState
from fastreid_prune.plugin.tensorboard import put_findings, write_findings
from fastreid_prune.trajectory import LogitRecorder
from fastreid_prune.trajectory.ranks import unvisited_by_all

logger = logging.getLogger("fastreid.prune")


class CaptureHook(HookBase):
    """Records the logits of every training sample over the epochs, and writes ``OUTPUT_DIR/prune`` at the end.

    A training that prunes itself has the files written earlier, with :meth:`write`; where it chooses once, what comes
    after that is not captured.

    In ``train`` mode they are those of the training forwards. In ``eval`` mode one clean pass over the training set
    follows each epoch. Either way a last clean pass gives the features, to which ``train`` mode adds those of the
    training forwards; there it also gives the logits of samples that no batch has held.
    """

    def __init__(self, cfg: CfgNode, model: torch.nn.Module, data_loader: Any, epochs: int) -> None:
        """Prepare for a trainer's model and train loader, to capture the first ``epochs`` epochs.

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
        self.group = patient_group()
        self.clean_pass = CleanPass(cfg, self.model, self.head, self.dataset, self.group)
        self.tap: HeadTap | None = None
        self.pending = PendingBatches(self.recorder)
        self.epochs = epochs
        self._is_ready = self._is_written = False
        self._epochs_ended = 0

    def prepare(self) -> None:
        """Take up a resumed run's state, or start anew.

        Raises:
            FastreidPruneError: the state does not match the checkpoint, or the head cannot be read.
        """
        self._is_ready = True
        self._epochs_ended = self.trainer.start_epoch
        if self.trainer.start_epoch >= self.epochs and self._is_captured_before_the_end:
            self.state.take_up_complete()
            self._is_written = True
            return
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
            self.tap.is_open = not self._is_over

    def after_step(self) -> None:
        """What runs between the steps (evaluation, precise BN) is not training; what the step said is recorded now."""
        if self.tap:
            self.tap.is_open = False
        self.pending.after_step()

    def after_epoch(self) -> None:
        """Close the epoch, and save the state that the checkpoint of this epoch belongs to."""
        self._epochs_ended = self.trainer.epoch + 1
        if self._is_over:
            return
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
        if self._epochs_ended < self.trainer.max_epoch or not self._is_over:
            return
        if not self._is_captured_before_the_end:
            self.write()
        if comm.is_main_process():
            write_findings(self.trainer)
        self.state.discard()

    def write(self) -> None:
        """The closing clean pass, then the files of a scored run of the epochs so far."""
        if not self.in_eval:
            self.fill()
        finish_run(self.cfg, self.recorder, self.dataset, self.folder, self.state.run, self.group)
        if comm.is_main_process():
            put_findings(self.folder, data_root())
        self._is_written = True

    @property
    def _is_over(self) -> bool:
        written_earlier = self._is_written and self._is_captured_before_the_end
        return written_earlier or self.recorder.num_epochs >= self.epochs

    @property
    def _is_captured_before_the_end(self) -> bool:
        return self.epochs < self.trainer.max_epoch

    def fill(self) -> None:
        """Give the samples that sampling never visited one observation, and every sample its features."""
        recorder = self.recorder
        assert isinstance(recorder, LogitRecorder)  # features and weights are recorded in eval mode alone
        rows = recorder.unvisited() if self.group is None else unvisited_by_all(recorder, self.group)
        device = next(self.model.parameters()).device
        unvisited = torch.zeros(len(self.samples), dtype=torch.bool, device=device)
        unvisited[torch.from_numpy(rows).to(device)] = True

        def record(sample_index: Tensor, logits: Tensor, labels: Tensor, features: Tensor | None) -> None:
            assert features is not None
            recorder.features.put(sample_index, features)
            if len(rows):
                new = unvisited[sample_index].nonzero().squeeze(1)
                recorder.update(sample_index[new], logits[new], labels[new])

        if self.group is not None and recorder.features.tensor is not None:
            # those of an earlier pass
            recorder.features.tensor.fill_(torch.nan)
        self.clean_pass("the closing pass", record)
        recorder.end_fill()
        # Each rank has the features of its share of the closing pass, whichever ranks trained on those samples.
        if self.group is not None and recorder.features.tensor is not None:
            sum_over_ranks(recorder.features.tensor.nan_to_num_(0.0), self.group)
        logger.info(
            f"{len(rows)} of {len(self.samples)} samples were never in a batch: observed once, in the closing pass."
        )
