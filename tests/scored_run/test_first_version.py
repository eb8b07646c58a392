"""Files that version 0.1.0 wrote before trajectories had a second schema: they open, and say what they said."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from fastreid_prune import Manifest, ScoredRun
from fastreid_prune.formats.importing import import_lists

WRITTEN = Path(__file__).parent / "first_version"


@pytest.fixture
def run(tmp_path):
    shutil.copytree(WRITTEN / "prune", tmp_path / "run" / "prune")
    return tmp_path / "run"


def test_a_run_of_the_first_version_opens(run):
    opened = ScoredRun.open(run)
    assert opened.trajectory.num_samples == len(opened.samples) == 24
    logits = np.asarray(opened.trajectory.mean_logits, float)
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    np.testing.assert_allclose(opened.scores["entropy"], -(p * np.log(p)).sum(1), rtol=1e-4)


def test_its_manifest_opens_and_comes_out_the_same(run):
    before = Manifest.read(WRITTEN / "manifest.csv")
    ScoredRun.open(run).prune(0.25, "entropy").write(run / "manifest.csv")
    assert (run / "manifest.csv").read_bytes() == (WRITTEN / "manifest.csv").read_bytes()
    assert before.kept.sum() == 18


def test_its_published_lists_come_back(run, tmp_path):
    samples = ScoredRun.open(run).samples
    summary = import_lists(
        WRITTEN / "lists" / "Market1501", tmp_path / "m.csv", samples, tmp_path, ratio=0.25
    )
    assert not summary.tally.problems
    back, before = Manifest.read(tmp_path / "m.csv"), Manifest.read(WRITTEN / "manifest.csv")
    assert set(back.file_name[back.kept]) == set(before.file_name[before.kept])
