"""A tiny grid on a tiny rendered data set, and the command that works on it in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
RECIPE = f"""
_BASE_: {REPOSITORY}/configs/Demo/retrain.yml
MODEL:
  BACKBONE:
    NAME: build_osnet_backbone
    DEPTH: x0_25
    FEAT_DIM: 128
DATALOADER:
  NUM_WORKERS: 1
SOLVER:
  IMS_PER_BATCH: 16
  MAX_EPOCH: 3
  STEPS: [2]
  WARMUP_ITERS: 5
  CHECKPOINT_PERIOD: 1
"""
GRID = """
data: data
score: {config: recipe.yml, options: {SOLVER.MAX_EPOCH: 2}}
retrain: {config: recipe.yml}
seeds: [0]
methods: [random, entropy]
ratios: [0.3]
environment: {OMP_NUM_THREADS: 1}
"""


@pytest.fixture
def tiny(tmp_path):
    """The folder of ``grid.yml``: a scoring run, one on everything, random and entropy."""
    from fastreid_prune.lab.demo import write_demo

    write_demo(tmp_path / "data", seed=1, train_ids=8, test_ids=3, wrong_labels=0.0, outliers=0.0)
    (tmp_path / "recipe.yml").write_text(RECIPE)
    (tmp_path / "grid.yml").write_text(GRID)
    return tmp_path


@pytest.fixture
def start(tiny):
    """Start ``fastreid-prune sweep`` on the tiny grid; the process."""

    def start(output, *options):
        command = [sys.executable, "-W", "ignore", "-m", "fastreid_prune", "sweep", "grid.yml", "-o", output]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
        with open(tiny / f"{output}.txt", "a") as log:
            return subprocess.Popen(
                [*command, *options], cwd=tiny, env=environment, stdout=log, stderr=subprocess.STDOUT
            )

    return start
