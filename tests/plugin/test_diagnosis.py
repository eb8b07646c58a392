"""What doctor says of the GPU, from what torch says of it."""

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


@pytest.mark.parametrize(("torch_version", "fits"), [("2.2.2+cpu", False), ("2.3.0", True)])
def test_a_numpy_that_the_torch_cannot_read_is_named_with_what_fits(torch_version, fits, monkeypatch):
    versions = {"numpy": "2.4.1", "torch": torch_version}
    monkeypatch.setattr(diagnosis.importlib.metadata, "version", versions.__getitem__)
    found = diagnosis._distribution("numpy")
    assert found.fits is fits
    assert found.mend == ("" if fits else "pip install 'numpy<2' 'pyarrow<26'")
