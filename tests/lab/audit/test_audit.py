"""The whole audit of a small folder of identities, as a user would, and again."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from fastreid_prune.manifest import Manifest


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """8 identities of 12 images, each of its own colour; odd images, and what is none; no cameras, no test split."""
    folder, rng = tmp_path_factory.mktemp("people"), np.random.default_rng(0)
    for who in range(8):
        colour = rng.integers(0, 256, 3)
        for k in range(12):
            path = folder / f"person {who}" / f"{k}.png"
            path.parent.mkdir(exist_ok=True)
            noisy = np.clip(colour + rng.normal(0, 20, (32, 16, 3)), 0, 255)
            Image.fromarray(noisy.astype(np.uint8)).save(path)
    odd = folder / "person 1" / "ü 'q', 1"
    Image.new("RGB", (1, 1)).save(f"{odd}.PNG")
    Image.new("RGBA", (16, 32), (9, 9, 9, 99)).save(f"{odd}.webp")
    Image.new("CMYK", (16, 32)).save(f"{odd}.JPG")
    (folder / "person 0" / "empty.png").touch()
    (folder / "person 0" / "Thumbs.db").touch()
    return folder


def run(*arguments, cwd, status=0):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    command = [sys.executable, "-W", "ignore", "-m", "fastreid_prune", *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=400)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_folder_an_identity_is_scored_judged_and_written_up_and_a_second_call_goes_on(people, tmp_path):
    small = ("SOLVER.MAX_EPOCH", 2, "SOLVER.WARMUP_ITERS", 1, "INPUT.SIZE_TRAIN", "[32, 16]")
    call = (
        "audit",
        people,
        "-o",
        tmp_path / "out",
        "--recipe",
        "small",
        *small,
        "INPUT.SIZE_TEST",
        "[32, 16]",
    )
    said = run(*call, cwd=tmp_path)
    assert "1 skipped: no image, by its ending ('person 0/Thumbs.db')" in said
    assert "layout identity_folders" in said and said.count("No cameras are known") == 1
    assert "32 images a batch, not 64" in said
    assert "1 images cannot be read and were left out of everything: person 0/empty.png" in said
    assert "What to do next" in said and "--ratio 0 --purify --decisions" in said
    assert "The scoring model" not in (tmp_path / "out" / "score.log").read_text()  # judged once, here
    manifest = Manifest.read(tmp_path / "out" / "manifest.csv")
    assert len(manifest) == 100 and {"person 0/0.png", "person 7/11.png"} <= set(manifest.file_name)
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000
    assert list((tmp_path / "out" / "lists").rglob("Ranking_list.npy"))
    record = json.loads((tmp_path / "out" / "score" / "prune" / "run.json").read_text())
    assert record["complete"] and record["epochs"] == 2
    before = (tmp_path / "out" / "score.log").stat().st_size
    assert "was done before" in run(*call, cwd=tmp_path)
    assert (tmp_path / "out" / "score.log").stat().st_size == before


def test_a_mistake_in_an_option_is_told_before_anything_is_trained(people, tmp_path):
    said = run(
        "audit", people, "-o", "out", "--recipe", "small", "SOLVER.MAX_EPOCHS", 2, cwd=tmp_path, status=2
    )
    assert "SOLVER.MAX_EPOCH" in said and "Traceback" not in said
