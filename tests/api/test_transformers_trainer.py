"""A scoring run and a retraining with Hugging Face's Trainer itself."""

import numpy as np
import pytest
import torch
from digits_loop import digits

from fastreid_prune import IndexedDataset, inject_label_noise
from fastreid_prune.errors import FastreidPruneError

transformers = pytest.importorskip("transformers", reason="the extra 'transformers' is not installed")


@pytest.fixture(autouse=True)
def no_folder_taken_for_a_library(monkeypatch):
    """``tests/datasets`` is on the path here, and transformers takes it for the library of that name."""
    monkeypatch.setattr("transformers.trainer.is_datasets_available", lambda: False)


def tiny_model():
    torch.manual_seed(0)
    config = transformers.ResNetConfig(
        num_channels=1,
        embedding_size=16,
        hidden_sizes=[16, 32],
        depths=[1, 1],
        layer_type="basic",
        num_labels=10,
    )
    return transformers.ResNetForImageClassification(config)


def arguments(folder, epochs, **more):
    return transformers.TrainingArguments(
        output_dir=str(folder), num_train_epochs=epochs, per_device_train_batch_size=64, learning_rate=3e-3,
        use_cpu=True, report_to=[], save_strategy="no", logging_strategy="no", disable_tqdm=True,
        remove_unused_columns=False, **more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def data():
    images, labels, true = digits()
    pixels = torch.nn.functional.interpolate(torch.as_tensor(images).view(-1, 1, 8, 8), size=32)
    rows = slice(0, 600)
    items = [{"pixel_values": p, "label": int(y)} for p, y in zip(pixels[rows], labels[rows], strict=True)]
    return items, labels[rows], true[rows]


def test_a_trainer_scores_and_a_subset_retrains(data, tmp_path):
    from fastreid_prune.api.transformers_trainer import ScoringTrainer

    items, labels, true = data
    injected = inject_label_noise(labels)
    trainer = ScoringTrainer(
        tiny_model(), arguments(tmp_path, 6), train_dataset=IndexedDataset(items, injected),
        samples=labels, folder=tmp_path / "run", injected=injected,
    )  # fmt: skip
    trainer.train()
    run = trainer.run
    assert run.trajectory.num_epochs == 6 and (run.trajectory.epochs.visits == 1).all()
    assert run.features[np.array([0])].shape == (1, 32)
    wrong = labels != true
    worst = np.argsort(run.scores["aum"])[-int(wrong.sum()) :]
    assert wrong[worst].mean() > 5 * wrong.mean()
    kept = run.prune(0.3, "auto").subset(items)
    again = transformers.Trainer(tiny_model(), arguments(tmp_path, 1), train_dataset=kept)
    assert again.train().global_step == -(-len(kept) // 64)


def test_what_cannot_work_is_refused_at_the_start(data, tmp_path):
    from fastreid_prune.api.transformers_trainer import ScoringTrainer

    items, labels, _ = data
    wrong = arguments(tmp_path, 1)
    wrong.remove_unused_columns = True
    with pytest.raises(FastreidPruneError, match="drops sample_index"):
        ScoringTrainer(tiny_model(), wrong, train_dataset=items, samples=labels, folder=tmp_path)
    with pytest.raises(FastreidPruneError, match="no 'fc'"):
        ScoringTrainer(
            tiny_model(),
            arguments(tmp_path, 1),
            train_dataset=items,
            samples=labels,
            folder=tmp_path,
            head="fc",
        )
