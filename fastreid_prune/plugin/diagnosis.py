"""What is installed, what fits, and what is missing."""

import importlib
import importlib.metadata
import importlib.util
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

# distribution -> (module, lowest version that works, what installs it)
_NEEDS = {
    "torch": ("torch", "2.1", "pip install torch torchvision"),
    "torchvision": ("torchvision", "0.16", "pip install torch torchvision"),
    "numpy": ("numpy", "1.26", "pip install 'numpy>=1.26'"),
    "yacs": ("yacs", "0", "pip install yacs"),
    "scikit-learn": ("sklearn", "0", "pip install scikit-learn"),
    "tensorboard": ("tensorboard", "0", "pip install tensorboard"),
    "tabulate": ("tabulate", "0", "pip install tabulate"),
    "termcolor": ("termcolor", "0", "pip install termcolor"),
    "gdown": ("gdown", "0", "pip install gdown"),
    "pyarrow": ("pyarrow", "15", "pip install 'pyarrow>=15'"),
    "rich": ("rich", "13", "pip install 'rich>=13'"),
}


@dataclass(frozen=True)
class Finding:
    """One line of the diagnosis.

    Attributes:
        what: the thing looked at.
        found: what was found, in words.
        fits: whether it serves; None for what is only worth knowing.
        mend: the command that installs or repairs it, empty where nothing is wrong.
    """

    what: str
    found: str
    fits: bool | None
    mend: str = ""


def diagnose() -> list[Finding]:
    """Look at this environment; changes nothing but what :func:`fastreid_prune.register` changes."""
    findings = [_python(), *(_distribution(name) for name in _NEEDS)]
    findings += [_fastreid(), _faiss()]
    if all(finding.fits is not False for finding in findings):
        findings += [*_devices(), *_patches()]
    return findings


def _python() -> Finding:
    fits = sys.version_info >= (3, 10)
    return Finding("Python", platform.python_version(), fits, "" if fits else "install Python 3.10 or newer")


def _distribution(name: str) -> Finding:
    module, lowest, mend = _NEEDS[name]
    if importlib.util.find_spec(module) is None:
        return Finding(name, "missing", False, mend)
    version = importlib.metadata.version(name)
    fits = _number(version) >= _number(lowest)
    return Finding(
        name, version if fits else f"{version}, {lowest} or newer needed", fits, "" if fits else mend
    )


def _fastreid() -> Finding:
    spec = importlib.util.find_spec("fastreid")
    if spec is None:
        return Finding("fastreid", "missing", False, "pip install --no-deps fastreid==1.4.0")
    folder = Path(spec.submodule_search_locations[0])
    version = "a checkout on the path"
    # A wheel may be installed and a checkout come before it on the path.
    for wheel in importlib.metadata.distributions(name="fastreid"):
        if Path(wheel.locate_file("fastreid")).resolve() == folder.resolve():
            version = f"{wheel.version} (wheel)"
    return Finding("fastreid", f"{version} in {folder}", True)


def _faiss() -> Finding:
    if importlib.util.find_spec("faiss") is None:
        name = "faiss-gpu-cu12" if shutil.which("nvidia-smi") else "faiss-cpu"
        return Finding("faiss", "missing", False, f"pip install {name}")
    import faiss

    on_gpu = hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0
    return Finding("faiss", f"{faiss.__version__}, {'GPU' if on_gpu else 'CPU'}", True)


def _devices() -> list[Finding]:
    import torch

    from fastreid_prune.plugin.compat.loaders import usable_cores

    cuda = ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))
    compiler = shutil.which("cc") or shutil.which("gcc")
    return [
        Finding("CUDA", cuda or "no device: give training commands MODEL.DEVICE cpu", None),
        Finding("processor cores", str(usable_cores()), None),
        Finding("C compiler", f"{compiler} (not needed)" if compiler else "none (not needed)", None),
    ]


def _patches() -> list[Finding]:
    from fastreid_prune.plugin import register
    from fastreid_prune.plugin.compat import PATCHES

    status = register()
    reasons = {patch.name: f"{patch.breaks} ({patch.versions})" for patch in PATCHES}
    return [
        Finding(f"patch {name}", f"{state}; without it: {reasons[name]}", None)
        for name, state in status.items()
    ]


def _number(version: str) -> tuple[int, ...]:
    parts = version.split("+")[0].split(".")
    return tuple(int("".join(filter(str.isdigit, part)) or 0) for part in parts[:3])
