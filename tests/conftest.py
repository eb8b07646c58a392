"""What several rooms' tests start from."""

import pytest
import torch

FOLDER = "Market-1501-v15.09.15/bounding_box_train"


def market_name(pid: int, camera: int, frame: int) -> str:
    return f"{FOLDER}/{pid:04}_c{camera}s1_{frame:06}_00.jpg"


@pytest.fixture
def scored_run(tmp_path):
    """Make the output folder of a scored run on a small set: ``scored_run(samples=60, identities=6)``."""
    from fastreid_prune.trajectory import LogitRecorder, Samples, save_trajectory

    def make(samples=60, identities=6, *, epochs=3, seed=0, unreadable=(), folder="run", names=None):
        generator = torch.Generator().manual_seed(seed)
        pid = torch.arange(samples) % identities + 1
        if names is None:
            names = Samples.from_items(
                [market_name(int(p), i % 6 + 1, i) for i, p in enumerate(pid)],
                [f"market1501_{int(p)}" for p in pid],
                [f"market1501_{i % 6}" for i in range(samples)],
            )
        labels = torch.as_tensor(names.label)
        classes = max(len(names.class_names), 2)
        recorder = LogitRecorder(len(names), classes, samples=names)
        sharpness = torch.rand(len(names), 1, generator=generator) * 6
        for _ in range(epochs):
            logits = torch.randn(len(names), classes, generator=generator)
            logits += sharpness * torch.nn.functional.one_hot(labels, classes)
            recorder.update(torch.arange(len(names)), logits, labels)
            recorder.end_epoch()
        meta = {"dataset": ["Market1501"], "mode": "eval", "seed": seed, "unreadable": list(unreadable)}
        save_trajectory(recorder.trajectory(meta), tmp_path / folder / "prune" / "trajectory")
        return tmp_path / folder

    return make
