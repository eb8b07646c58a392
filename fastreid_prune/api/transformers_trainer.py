"""A scoring run with Hugging Face's Trainer for classification (``pip install 'fastreid_prune[transformers]'``)."""

import os
from typing import Any

from fastreid_prune.api.scored_run import ScoredRun
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.purify.injecting import InjectedLabels
from fastreid_prune.trajectory import LogitRecorder
from fastreid_prune.trajectory.sample_sources import samples_of

try:
    from transformers import Trainer, TrainerCallback
except ImportError as error:
    raise FastreidPruneError(
        "transformers: not installed, and this trainer is one of it. Install it: pip install transformers accelerate."
    ) from error


class ScoringTrainer(Trainer):
    """A Trainer that records its training forwards, and opens the scored run when training ends.

    Items come from an :class:`.IndexedDataset` of items that are dictionaries; the arguments need
    ``remove_unused_columns=False``, since the model itself does not use ``sample_index``.

    Args:
        samples: who the rows are, as the data set gives them: what :func:`.samples_of` takes.
        folder: of the run.
        head: the name of the classifier's last layer in the model, such as ``classifier``: its input is the features.
        injected: what was injected into the labels.

    Attributes:
        run: the scored run; None until training has ended.
    """

    def __init__(
        self,
        *args: Any,
        samples: Any,
        folder: str | os.PathLike[str],
        head: str = "classifier",
        injected: InjectedLabels | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if self.args.remove_unused_columns:
            raise FastreidPruneError(
                "remove_unused_columns: True found, which drops sample_index. Set it False in TrainingArguments."
            )
        if self.args.world_size > 1:
            raise FastreidPruneError(f"{self.args.world_size} processes found: score with one.")
        self.samples, self.folder, self.injected = samples_of(samples), folder, injected
        self.run: ScoredRun | None = None
        network: Any = self.model
        outliers = 0 if injected is None else len(injected.outliers)
        self.recorder = LogitRecorder(len(self.samples) + outliers, network.config.num_labels)
        try:
            self.recorder.watch(network.get_submodule(head))
        except AttributeError as error:
            raise FastreidPruneError(
                f"head: the model has no {head!r} ({error}). Name its last layer, such as 'classifier'."
            ) from error
        self.add_callback(_Epochs(self))

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The loss of a batch; in training its logits are recorded."""
        index = inputs.pop("sample_index", None)
        labels = inputs.get("labels")
        loss, outputs = super().compute_loss(
            model, inputs, return_outputs=True, num_items_in_batch=num_items_in_batch
        )
        if model.training:
            if index is None or labels is None:
                raise FastreidPruneError(
                    "batch: no sample_index or no labels found. Load from IndexedDataset(dataset)."
                )
            self.recorder.update(index, outputs.logits, labels)
        return (loss, outputs) if return_outputs else loss


class _Epochs(TrainerCallback):
    def __init__(self, trainer: ScoringTrainer) -> None:
        self.trainer = trainer

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.trainer.recorder.end_epoch()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        trainer = self.trainer
        trainer.run = ScoredRun.from_recorder(
            trainer.recorder,
            trainer.samples,
            trainer.folder,
            injected=trainer.injected,
            meta={"mode": "train"},
        )
