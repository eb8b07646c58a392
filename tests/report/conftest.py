"""Scored runs with images on disk, small enough to draw in a moment."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from chromium import Browser
from PIL import Image

from fastreid_prune.scored_run.run_files import RunFiles
from fastreid_prune.scored_run.score_table import ScoreTable
from fastreid_prune.scored_run.verdicts import Verdicts
from fastreid_prune.trajectory import LogitRecorder, Samples, save_trajectory

FOLDER = "Market-1501-v15.09.15/bounding_box_train"
HOSTILE_NAME = f'{FOLDER}/"x\'<img src=x onerror="hacked=1">&amp;</script><script>hacked=1</script>.jpg'
HOSTILE_PID = "\"><script>hacked=1</script>'&lt;b>,\u2028"
HOSTILE_CAMERA = "</script><b onclick=hacked=1>"


@dataclass
class PicturedRun:
    run: Path
    images: Path
    samples: Samples


@pytest.fixture
def pictured_run(tmp_path):
    """Make a scored run with features and its images: ``pictured_run(judged=True, hostile=True)``."""

    def make(*size, **options):
        return make_run(tmp_path, *size, **options)

    return make


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """A headless Chromium without network."""
    browser = Browser(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


def make_run(
    folder: Path,
    samples=48,
    identities=6,
    *,
    judged=False,
    hostile=False,
    epochs=4,
    wrong=4,
    size=(24, 48),
) -> PicturedRun:
    """A scored run with features in ``folder/run``, its images in ``folder/images``."""
    rng = np.random.default_rng(5)
    true = np.arange(samples) % identities
    given = true.copy()
    given[:wrong] = (given[:wrong] + 1) % identities
    pids = [f"market1501_{i + 1}" for i in range(identities)]
    cameras = [f"market1501_{i // identities % 3}" for i in range(samples)]
    names = [f"{FOLDER}/{given[i] + 1:04}_c{i // identities % 3 + 1}s1_{i:06}_00.jpg" for i in range(samples)]
    if hostile:
        pids[1], names[0], cameras[0] = HOSTILE_PID, HOSTILE_NAME, HOSTILE_CAMERA
    named = Samples.from_items(names, [pids[label] for label in given], cameras)
    classes = {pid: place for place, pid in enumerate(named.class_names)}
    shown = torch.tensor([classes[pids[label]] for label in true])
    generator = torch.Generator().manual_seed(1)
    recorder = LogitRecorder(samples, identities, samples=named)
    prototypes = torch.randn(identities, 16, generator=generator) * 3
    features = prototypes[shown] + torch.randn(samples, 16, generator=generator)
    for epoch in range(epochs):
        logits = torch.randn(samples, identities, generator=generator)
        logits += (epoch + 2) * torch.nn.functional.one_hot(shown, identities)
        recorder.update(torch.arange(samples), logits, torch.as_tensor(named.label), features)
        recorder.end_epoch()
    meta = {"dataset": ["Market1501"], "mode": "eval", "seed": 0}
    save_trajectory(recorder.trajectory(meta), folder / "run" / "prune" / "trajectory")
    for place, name in enumerate(names):
        path = folder / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        colour = np.array([true[place] * 40 % 256, 90, 255 - true[place] * 40 % 256])
        pixels = colour + rng.integers(-30, 30, (size[1], size[0], 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)
    if judged:
        judge(folder / "run", wrong, [pids[label] for label in true])
    return PicturedRun(folder / "run", folder / "images", named)


def judge(run: Path, wrong: int, true_pids: list[str]) -> None:
    """Write verdicts: the first ``wrong`` samples mislabelled, the next two outliers."""
    table = RunFiles.open(run).table
    verdict = np.full(len(table), "clean", object)
    suggested, reason = np.full(len(table), "", object), np.full(len(table), "", object)
    verdict[:wrong], verdict[wrong : wrong + 2] = "mislabelled", "outlier"
    suggested[:wrong] = true_pids[:wrong]
    reason[: wrong + 2] = "its neighbours <say> otherwise"
    confidence = np.linspace(0.99, 0.5, len(table))
    verdicts = Verdicts(verdict, suggested, np.full(len(table), "", object), confidence, reason)
    columns = (table.file_name, table.pid, table.camid, table.scores, verdicts, table.about)
    ScoreTable(*columns).write(run / "prune")
