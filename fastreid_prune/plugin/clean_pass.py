"""Every training sample through the model in evaluation mode."""

import logging
from typing import Any

import torch
import torch.nn.functional as F
from fastreid.data import build
from fastreid.data.build import fast_batch_collator
from torch import Tensor, nn
from yacs.config import CfgNode

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin.heads import OnLogits, clean_logits, linear_classifier
from fastreid_prune.plugin.indexed import IndexedDataset
from fastreid_prune.plugin.loading import loading_for
from fastreid_prune.plugin.ranks import buffers_of_first_rank, wait_for_all

logger = logging.getLogger("fastreid.prune")


class CleanPass:
    """Runs the samples through the model and hands on what the head says of them."""

    def __init__(
        self, cfg: CfgNode, model: nn.Module, head: nn.Module, dataset: IndexedDataset, group: Any
    ) -> None:
        """Of a model and its training set; ``group`` is that of :func:`.ranks.patient_group`."""
        self._cfg, self._model, self._head, self._dataset = cfg, model, head, dataset
        self._group = group

    def __call__(self, what: str, on_logits: OnLogits) -> None:
        """Run every sample of this rank's share, once, in order; ``what`` is for the log."""
        with loading_for(self._cfg.MODEL.DEVICE):
            loader, _ = build.build_reid_test_loader(
                self._dataset.with_test_transforms(self._cfg),
                test_batch_size=self._cfg.TEST.IMS_PER_BATCH,
                num_query=0,
                num_workers=self._cfg.DATALOADER.NUM_WORKERS,
            )
        logger.info(f"Clean pass over the training set ({what})")
        device = torch.device(self._cfg.MODEL.DEVICE).type
        with (
            buffers_of_first_rank(self._model, self._group),
            clean_logits(self._model, self._head, on_logits) as run,
            torch.autocast(device, enabled=self._cfg.PRUNE.CAPTURE.AMP),
        ):
            for inputs in loader:
                run(inputs)
        wait_for_all(self._group)

    def rehearse(self, num_classes: int, factored: bool) -> None:
        """Run one sample and record nothing: a head that a pass could not read stops the run now, not at its end.

        Raises:
            FastreidPruneError: the head is not asked, or what it says is not ``num_classes`` logits; or ``factored``
                and they do not follow from its features and weights.
        """
        name = type(self._head).__name__
        heard: list[Tensor] = []

        def check(sample_index: Tensor, logits: Tensor, labels: Tensor, features: Tensor | None) -> None:
            heard.append(sample_index)
            if logits.shape != (1, num_classes):
                raise FastreidPruneError(
                    f"PRUNE.CAPTURE.HEAD: {name} gives logits of shape {list(logits.shape)} for one sample, expected "
                    f"[1, {num_classes}]. Choose another head."
                )
            if factored and features is not None:
                weight, of_length_one = linear_classifier(self._head)
                own = (F.normalize(features) if of_length_one else features) @ weight.T
                if not torch.allclose(own, logits.float(), rtol=1e-3, atol=1e-3 * float(own.abs().max())):
                    raise FastreidPruneError(
                        f"PRUNE.CAPTURE.FACTORED: the logits of {name} are not its features times its weights. Set it "
                        "to False: the logits themselves are kept then."
                    )

        with clean_logits(self._model, self._head, check) as run:
            run(fast_batch_collator([self._dataset.with_test_transforms(self._cfg)[0]]))
        if not heard:
            raise FastreidPruneError(
                f"PRUNE.CAPTURE.HEAD: the model does not use its head {name} in evaluation. Choose another head."
            )
