"""What is installed, what fits, and what is missing."""

import importlib
import importlib.metadata
import importlib.util
import platform
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

# distribution -> (module, lowest version that works, what installs it)
_NEEDS = {
    "torch": ("torch", "2.3", "pip install torch torchvision"),
    "torchvision": ("torchvision", "0.18", "pip install torch torchvision"),
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
    if spec is None or not spec.submodule_search_locations:
        return Finding("fastreid", "missing", False, "pip install --no-deps fastreid==1.4.0")
    folder = Path(spec.submodule_search_locations[0])
    version = "a checkout on the path"
    # A wheel may be installed and a checkout come before it on the path.
    for wheel in importlib.metadata.distributions(name="fastreid"):
        if Path(str(wheel.locate_file("fastreid"))).resolve() == folder.resolve():
            version = f"{wheel.version} (wheel)"
    return Finding("fastreid", f"{version} in {folder}", True)


def _faiss() -> Finding:
    if importlib.util.find_spec("faiss") is None:
        name = "faiss-gpu" if shutil.which("nvidia-smi") else "faiss-cpu"
        return Finding("faiss", "missing", False, f"pip install {name}")
    versions = [
        f"{distribution.metadata['Name']} {distribution.version}"
        for distribution in importlib.metadata.distributions()
        if str(distribution.metadata["Name"]).startswith("faiss-")
    ]
    return Finding("faiss", ", ".join(versions) or "a build of its own", True)


def _devices() -> list[Finding]:
    from fastreid_prune.evaluation.knn import backend
    from fastreid_prune.io.cores import usable_cores

    compiler = shutil.which("cc") or shutil.which("gcc")
    search = backend()
    return [
        Finding("GPU", gpu_state(), None),
        Finding("nearest neighbours", search.name + (f": {search.reason}" if search.reason else ""), None),
        Finding("processor cores", str(usable_cores()), None),
        Finding("C compiler", f"{compiler} (not needed)" if compiler else "none (not needed)", None),
    ]


def gpu_state() -> str:
    """The GPUs that torch can use, or why it can use none."""
    import torch

    if torch.cuda.is_available():
        return ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))
    if torch.version.cuda is None and getattr(torch.version, "hip", None) is None:
        why = f"torch {torch.__version__} is built without CUDA"
    else:
        try:
            torch.cuda.init()
            why = "torch sees none"
        except (RuntimeError, AssertionError) as error:
            why = _why_no_gpu(str(error))
    return f"{why}: give training commands MODEL.DEVICE cpu"


def _why_no_gpu(error: str) -> str:
    """What torch's error says, in a sentence."""
    import torch

    if "too old" in error:
        found = re.search(r"found version (\d+)", error)
        has = f" (it is for CUDA {int(found[1]) // 1000}.{int(found[1]) % 1000 // 10})" if found else ""
        return (
            f"the NVIDIA driver is too old for this torch{has}, which is built for CUDA {torch.version.cuda}; "
            "update the driver, or install a torch for its CUDA"
        )
    if "no NVIDIA driver" in error or "No CUDA GPUs" in error:
        return "no NVIDIA GPU, or no driver for it"
    return error.strip().splitlines()[0] if error.strip() else "torch sees none"


def _patches() -> list[Finding]:
    from fastreid_prune.plugin import register
    from fastreid_prune.plugin.compat.apply import PATCHES

    status = register()
    reasons = {patch.name: f"{patch.breaks} ({patch.versions})" for patch in PATCHES}
    return [
        Finding(f"patch {name}", f"{state}; without it: {reasons[name]}", None)
        for name, state in status.items()
    ]


def _number(version: str) -> tuple[int, ...]:
    parts = version.split("+")[0].split(".")
    return tuple(int("".join(filter(str.isdigit, part)) or 0) for part in parts[:3])
