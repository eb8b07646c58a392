"""Runs that several tests of the room judge, made and judged once."""

import numpy as np
import pytest
import torch
from synthetic_run import synthetic_run

from fastreid_prune.purify import assess


@pytest.fixture(scope="session")
def soiled():
    """A run on a data set with wrong labels and outliers, with errors planted on top, and its judgement."""
    run = synthetic_run()
    return run, assess(run.trajectory)


@pytest.fixture(scope="session")
def spotless():
    """A run with planted errors on a data set without any of its own, and its judgement."""
    run = synthetic_run(wrong=0, outliers=0)
    return run, assess(run.trajectory)


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
