"""A scoring run with Lightning: one callback (``pip install 'fastreid_prune[lightning]'``)."""

import os
from typing import Any

import torch

from fastreid_prune.api.scored_run import ScoredRun
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.purify.injecting import InjectedLabels
from fastreid_prune.trajectory import LogitRecorder
from fastreid_prune.trajectory.sample_sources import samples_of

try:
    from lightning.pytorch import Callback, LightningModule, Trainer
except ImportError as error:
    raise FastreidPruneError(
        "lightning: not installed, and the callback is for it. Install it: pip install 'lightning>=2'."
    ) from error


class ScoringCallback(Callback):
    """Records the training forwards of a classifier, and opens the scored run when training ends.

    Batches come from an :class:`.IndexedDataset`: ``(index, input, ..., label)``, or dictionaries with
    ``sample_index`` and ``label`` or ``labels``.

    Args:
        samples: who the rows are, as the data set gives them: what :func:`.samples_of` takes.
        folder: of the run.
        head: the name of the classifier's last layer in the module, such as ``model.fc``. Its output is the logits, its
            input the features.
        injected: what was injected into the labels.
        num_classes: C; by default the head's ``out_features``.

    Attributes:
        run: the scored run; None until training has ended.
    """

    def __init__(
        self,
        samples: Any,
        folder: str | os.PathLike[str],
        head: str,
        *,
        injected: InjectedLabels | None = None,
        num_classes: int | None = None,
    ) -> None:
        self.samples, self.injected = samples_of(samples), injected
        self.folder, self.head, self.num_classes = folder, head, num_classes
        self.run: ScoredRun | None = None
        self._recorder: LogitRecorder | None = None
        self._hooks: list[Any] = []
        self._logits: torch.Tensor | None = None

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Find the head and make the recorder."""
        if trainer.world_size > 1:
            raise FastreidPruneError(f"{trainer.world_size} processes found: score with one (devices=1).")
        try:
            head = pl_module.get_submodule(self.head)
        except AttributeError as error:
            raise FastreidPruneError(
                f"head: the module has no {self.head!r} ({error}). Name its last layer, such as 'model.fc'."
            ) from error
        classes = self.num_classes or getattr(head, "out_features", None)
        if not isinstance(classes, int):
            raise FastreidPruneError(
                f"head: {self.head!r} is a {type(head).__name__} without out_features. Give num_classes."
            )
        outliers = 0 if self.injected is None else len(self.injected.outliers)
        self._recorder = LogitRecorder(len(self.samples) + outliers, classes)
        self._hooks = [self._recorder.watch(head), head.register_forward_hook(self._keep)]

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Record the batch."""
        if self._recorder is None or self._logits is None:
            raise FastreidPruneError(
                f"head: {self.head!r} was not called in training_step. Name the last layer."
            )
        index, labels = index_and_labels(batch)
        self._recorder.update(index, self._logits, labels)
        self._logits = None

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Close the epoch."""
        if self._recorder is not None:
            self._recorder.end_epoch()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the run and open it."""
        for hook in self._hooks:
            hook.remove()
        if self._recorder is not None:
            self.run = ScoredRun.from_recorder(
                self._recorder, self.samples, self.folder, injected=self.injected, meta={"mode": "train"}
            )

    def _keep(self, module: torch.nn.Module, inputs: Any, output: torch.Tensor) -> None:
        self._logits = output.detach()


def index_and_labels(batch: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Which samples a batch holds, and their labels.

    Raises:
        FastreidPruneError: it does not say.
    """
    if isinstance(batch, dict):
        labels = batch.get("labels", batch.get("label"))
        if "sample_index" in batch and labels is not None:
            return batch["sample_index"], labels
    elif isinstance(batch, (list, tuple)) and len(batch) >= 3:
        return batch[0], batch[-1]
    raise FastreidPruneError(
        "batch: expected (index, input, ..., label), or a dictionary with sample_index and label. Load from "
        "IndexedDataset(dataset)."
    )
