"""What several rooms' tests start from."""

from functools import partial

import numpy as np
import pytest
import torch
from synthetic_run import synthetic_run

from fastreid_prune.purify import assess

FOLDER = "Market-1501-v15.09.15/bounding_box_train"


def market_name(pid: int, camera: int, frame: int) -> str:
    return f"{FOLDER}/{pid:04}_c{camera}s1_{frame:06}_00.jpg"


@pytest.fixture(scope="session")
def scored_run_in():
    """Make the output folder of a scored run in a folder: ``scored_run_in(folder, samples=60, identities=6)``."""
    from fastreid_prune.trajectory import LogitRecorder, Samples, save_trajectory

    def make(place, samples=60, identities=6, *, epochs=3, seed=0, unreadable=(), folder="run", names=None):
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
        save_trajectory(recorder.trajectory(meta), place / folder / "prune" / "trajectory")
        return place / folder

    return make


@pytest.fixture
def scored_run(tmp_path, scored_run_in):
    """Make the output folder of a scored run on a small set: ``scored_run(samples=60, identities=6)``."""
    return partial(scored_run_in, tmp_path)


@pytest.fixture
def from_logits():
    """Make a trajectory of one epoch from mean logits [N, C] and labels [N]; rows of NaN were never visited."""
    from fastreid_prune.trajectory import LogitRecorder, Samples

    def make(logits, labels, classes=None):
        logits, labels = np.asarray(logits, np.float32), np.asarray(labels)
        names = classes or [f"id{number}" for number in range(logits.shape[1])]
        # an identity has to have a sample for its class to be named
        assert set(labels.tolist()) == set(range(logits.shape[1]))
        files = [f"{row}.jpg" for row in range(len(labels))]
        samples = Samples.from_items(files, [names[label] for label in labels], ["m_0"] * len(labels))
        recorder = LogitRecorder(*logits.shape, samples=samples)
        seen = np.flatnonzero(np.isfinite(logits).all(1))
        recorder.update(torch.as_tensor(seen), torch.as_tensor(logits[seen]), torch.as_tensor(labels[seen]))
        recorder.end_epoch()
        return recorder.trajectory()

    return make


@pytest.fixture(scope="session")
def noisy():
    """A run on a data set with wrong labels and outliers, with errors planted on top, and its judgement."""
    run = synthetic_run()
    return run, assess(run.trajectory)


@pytest.fixture(scope="session")
def spotless():
    """A run with planted errors on a data set without any of its own, and its judgement."""
    run = synthetic_run(wrong=0, outliers=0)
    return run, assess(run.trajectory)
