"""The Python that README and docs show runs as it stands there."""

import numpy as np
import pytest
import torch
from written_commands import PAGES, ROOT, snippets_of

WITH_SNIPPETS = [page for page in PAGES if page.is_file() and snippets_of(page)]


class IndexedImages(torch.utils.data.Dataset):
    """Noise with labels, and each sample's index: what a training loop of a reader's own has."""

    def __len__(self):
        return 24

    def __getitem__(self, index):
        generator = torch.Generator().manual_seed(index)
        return torch.randn(3, 8, 8, generator=generator), index % 4, index


@pytest.fixture
def readers_names():
    """The names that a snippet may take as given: a data set of 24 samples of 4 classes, and a model."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 4))
    return {
        "np": np,
        "torch": torch,
        "num_samples": 24,
        "num_classes": 4,
        "model": model,
        "loader": torch.utils.data.DataLoader(IndexedImages(), batch_size=8),
        "optimizer": torch.optim.SGD(model.parameters(), lr=0.01),
    }


@pytest.mark.parametrize("page", WITH_SNIPPETS, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_snippets_of_a_page_run_one_after_another(page, readers_names, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number, snippet in enumerate(snippets_of(page), start=1):
        code = compile(snippet, f"{page.name}, snippet {number}", "exec")
        exec(code, readers_names)
