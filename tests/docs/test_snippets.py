"""The Python that README and docs show runs as it stands there."""

import numpy as np
import pytest
import torch
from written_commands import PAGES, ROOT, snippets_of

WITH_SNIPPETS = [page for page in PAGES if page.is_file() and snippets_of(page)]


@pytest.fixture
def readers_names():
    """The names that a snippet may take as given: a training set of 240 samples of 4 classes, and a model."""
    torch.manual_seed(0)
    labels = [row % 4 for row in range(240)]
    train_set = [(torch.randn(192) + label, label) for label in labels]
    fc = torch.nn.Linear(16, 4)
    model = torch.nn.Sequential(torch.nn.Linear(192, 16), torch.nn.ReLU(), fc)
    return {"np": np, "torch": torch, "labels": labels, "train_set": train_set, "fc": fc, "model": model}


@pytest.mark.parametrize("page", WITH_SNIPPETS, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_snippets_of_a_page_run_one_after_another(page, readers_names, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if "from transformers import" in page.read_text(encoding="utf-8"):
        # tests/datasets may be on the path, and transformers takes it for the library of that name
        monkeypatch.setattr("transformers.trainer.is_datasets_available", lambda: False)
    for number, snippet in enumerate(snippets_of(page), start=1):
        code = compile(snippet, f"{page.name}, snippet {number}", "exec")
        exec(code, readers_names)
