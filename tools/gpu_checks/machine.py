"""What this machine is, and what searches on it."""

import os
import platform

import torch

from fastreid_prune.evaluation.knn import backend, try_faiss_gpu
from fastreid_prune.plugin.diagnosis import gpu_state
from gpu_checks.registry import Context, NotChecked, check


@check("machine")
def machine(context: Context) -> str:
    """The versions and the card."""
    chosen = backend()
    context.figures.update(
        torch=torch.__version__, cuda=torch.version.cuda, python=platform.python_version(), gpu=gpu_state()
    )
    return (
        f"{gpu_state()}; torch {torch.__version__}, Python {platform.python_version()}, "
        f"{len(os.sched_getaffinity(0))} cores; nearest neighbours: {chosen.name}"
        + (f" ({chosen.reason})" if chosen.reason else "")
    )


@check("gpu-faiss")
def gpu_faiss(context: Context) -> str:
    """Whether a GPU faiss works here, asked in a child process."""
    said = try_faiss_gpu()
    if said != "works":
        raise NotChecked(said)
    return "a GPU faiss finds neighbours on this card"
