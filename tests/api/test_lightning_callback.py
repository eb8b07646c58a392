"""A scoring run and a retraining with Lightning itself."""

import numpy as np
import pytest
import torch
from digits_loop import digits

from fastreid_prune import IndexedDataset, inject_label_noise
from fastreid_prune.errors import FastreidPruneError

lightning = pytest.importorskip("lightning.pytorch", reason="the extra 'lightning' is not installed")


class Digits(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU())
        self.fc = torch.nn.Linear(64, 10)

    def training_step(self, batch, batch_idx):
        images, labels = batch[-2:]
        return torch.nn.functional.cross_entropy(self.fc(self.body(images)), labels)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 2e-3)


def fit(data, folder, callbacks=(), epochs=3):
    torch.manual_seed(0)
    loader = torch.utils.data.DataLoader(data, batch_size=64, shuffle=True)
    trainer = lightning.Trainer(
        max_epochs=epochs, accelerator="cpu", devices=1, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, callbacks=list(callbacks), default_root_dir=folder,
    )  # fmt: skip
    trainer.fit(Digits(), loader)


def test_a_callback_scores_and_a_subset_retrains(tmp_path):
    from fastreid_prune.api.lightning_callback import ScoringCallback

    images, labels, true = digits()
    data = list(zip(torch.as_tensor(images), labels.tolist(), strict=True))
    injected = inject_label_noise(labels)
    scoring = ScoringCallback(labels, tmp_path / "run", head="fc", injected=injected)
    fit(IndexedDataset(data, injected), tmp_path, [scoring], epochs=6)
    run = scoring.run
    assert run.trajectory.num_epochs == 6 and (run.trajectory.epochs.visits == 1).all()
    assert run.features[np.array([0])].shape == (1, 64)
    worst = np.argsort(run.scores["aum"])[-90:]
    assert (labels != true)[worst].mean() > 0.8
    kept = run.prune(0.3, "auto").subset(data)
    fit(kept, tmp_path, epochs=1)
    assert len(kept) == len(labels) - int(0.3 * len(labels))


def test_a_head_that_is_not_there_and_batches_without_index_are_refused(tmp_path):
    from fastreid_prune.api.lightning_callback import ScoringCallback

    images, labels, _ = digits()
    data = list(zip(torch.as_tensor(images), labels.tolist(), strict=True))
    with pytest.raises(FastreidPruneError, match="no 'classifier'"):
        fit(IndexedDataset(data), tmp_path, [ScoringCallback(labels, tmp_path, head="classifier")])
    with pytest.raises(FastreidPruneError, match="IndexedDataset"):
        fit(data, tmp_path, [ScoringCallback(labels, tmp_path, head="fc")])
