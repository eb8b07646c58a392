"""A small rendered data set, and fastreid configurations that train on it in seconds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

REPOSITORY = Path(__file__).parents[2]
IDENTITIES = 16


def pytest_configure(config):
    config.addinivalue_line("markers", "needs_patch(name): fails if this compat patch is switched off")


def pytest_collection_modifyitems(items):
    """With patches switched off, only the tests that need them say something."""
    off = set(os.environ.get("FASTREID_PRUNE_WITHOUT", "").split(",")) - {""}
    if off:
        items[:] = [
            item for item in items if any(off & set(mark.args) for mark in item.iter_markers("needs_patch"))
        ]


@pytest.fixture(scope="session")
def demo_root(tmp_path_factory) -> Path:
    """The folder of a demo data set with 16 training and 4 test identities, clean."""
    from fastreid_prune.lab.demo import write_demo

    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder, seed=1, train_ids=IDENTITIES, test_ids=4, wrong_labels=0.0, outliers=0.0)
    return folder


@pytest.fixture(scope="session", autouse=True)
def registered():
    import fastreid_prune

    torch.set_num_threads(1)
    return fastreid_prune.register()


@pytest.fixture
def use_data(monkeypatch):
    """Point fastreid to a folder of data sets."""

    def use(folder):
        monkeypatch.setattr("fastreid.data.build._root", str(folder))

    return use


@pytest.fixture
def cfg(demo_root, tmp_path, use_data):
    """A configuration of one quick epoch on the small demo, on CPU, with nothing of PRUNE switched on."""
    from fastreid.config import get_cfg

    use_data(demo_root)
    cfg = get_cfg()
    cfg.merge_from_list(small_options(tmp_path / "run"))
    (tmp_path / "run").mkdir()
    return cfg


@pytest.fixture
def options(tmp_path) -> list[str]:
    """The options of ``cfg``, for a command line."""
    return small_options(tmp_path / "run")


def small_options(output_dir) -> list[str]:
    """Options for ``train_net.py`` that make it small: the narrowest OSNet on 64x32 crops, 16 images a batch."""
    options = {
        "MODEL.DEVICE": "cpu",
        "MODEL.BACKBONE.NAME": "build_osnet_backbone",
        "MODEL.BACKBONE.DEPTH": "x0_25",
        "MODEL.BACKBONE.FEAT_DIM": "128",
        "MODEL.BACKBONE.PRETRAIN": "False",
        "MODEL.HEADS.WITH_BNNECK": "True",
        "INPUT.SIZE_TRAIN": "[64, 32]",
        "INPUT.SIZE_TEST": "[64, 32]",
        "DATALOADER.SAMPLER_TRAIN": "NaiveIdentitySampler",
        "DATALOADER.NUM_WORKERS": "1",
        "SOLVER.IMS_PER_BATCH": "16",
        "SOLVER.MAX_EPOCH": "1",
        "SOLVER.WARMUP_ITERS": "5",
        "SOLVER.CHECKPOINT_PERIOD": "1",
        "TEST.EVAL_PERIOD": "100",
        "OUTPUT_DIR": str(output_dir),
    }
    return [part for pair in options.items() for part in pair]


@pytest.fixture
def run_command(demo_root):
    """Run a command line in a process of its own, as a user would, with the small demo as the data set."""

    def run(*arguments, data=demo_root, timeout=240, check=True, **environment):
        # One thread a process: several trainings share the cores here.
        settings = {**os.environ, "FASTREID_DATASETS": str(data), "OMP_NUM_THREADS": "1", **environment}
        result = subprocess.run(
            [sys.executable, "-W", "ignore", *map(str, arguments)],
            cwd=REPOSITORY,
            env=settings,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if check and result.returncode:
            raise AssertionError(
                f"{arguments} ended with {result.returncode}:\n{result.stdout}\n{result.stderr}"
            )
        return result

    return run
