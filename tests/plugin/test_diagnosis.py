"""What doctor says of the GPU, from what torch says of it."""

import re
from pathlib import Path

import pytest
import torch

from fastreid_prune.plugin import diagnosis

NO_DRIVER = "Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU."
TOO_OLD = (
    "The NVIDIA driver on your system is too old (found version 11040). Please update your GPU driver by downloading "
    "and installing a new version"
)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (NO_DRIVER, "no NVIDIA GPU, or no driver for it"),
        ("No CUDA GPUs are available", "no NVIDIA GPU, or no driver for it"),
        (TOO_OLD, "driver is too old for this torch (it is for CUDA 11.4), which is built for CUDA 13.0"),
        ("CUDA unknown error\n - this may be", "CUDA unknown error"),
    ],
)
def test_no_gpu_is_told_from_a_driver_that_is_too_old(said, expected, monkeypatch):
    def init():
        raise RuntimeError(said)

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "init", init)
    state = diagnosis.gpu_state()
    assert expected in state
    assert state.endswith("give training commands MODEL.DEVICE cpu")


def test_a_torch_without_cuda_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    assert f"torch {torch.__version__} is built without CUDA" in diagnosis.gpu_state()


def test_the_library_that_searches_is_named_with_the_reason(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    found = {finding.what: finding.found for finding in diagnosis._devices()}
    assert found["nearest neighbours"] == "faiss on the processor: no GPU that torch can use"
    assert "faiss-" in diagnosis._faiss().found


@pytest.mark.parametrize(("version", "fits"), [("2.2.2+cpu", False), ("2.3.0", True), ("2.14.1", True)])
def test_a_torch_that_is_too_old_is_named_with_what_installs_another(version, fits, monkeypatch):
    monkeypatch.setattr(diagnosis.importlib.metadata, "version", lambda name: version)
    found = diagnosis._distribution("torch")
    assert found.fits is fits
    assert found.mend == ("" if fits else "pip install torch torchvision")


def test_the_lowest_versions_are_those_of_the_package():
    setup = (Path(__file__).parents[2] / "setup.py").read_text()
    stated = dict(re.findall(r'"([\w-]+)>=([\d.]+)",', setup))
    named = {name: lowest for name, (_, lowest, _) in diagnosis._NEEDS.items() if lowest != "0"}
    assert named.items() <= stated.items()
