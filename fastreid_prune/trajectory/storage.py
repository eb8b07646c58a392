"""Where a large array lives: on the device, in host memory, or memory-mapped on disk."""

import logging
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.files import cannot_write

logger = logging.getLogger(__name__)

STORAGES = ("auto", "device", "host", "disk")
# What may be taken of what is free: training needs the rest.
_DEVICE_SHARE, _HOST_SHARE, _DISK_SHARE = 0.25, 0.5, 0.9


def choose_storage(
    num_bytes: int, wanted: str, free_device: int | None, free_host: int, free_disk: int, processes: int = 1
) -> str:
    """Where ``num_bytes`` go: ``device``, ``host`` or ``disk``; a pure function of what is free, in bytes.

    Args:
        num_bytes: the size of the array in each process.
        wanted: one of :data:`STORAGES`; ``auto`` is the first that fits.
        free_device: free memory of the logits' accelerator; None if they are in host memory.
        free_host: memory that the machine can still give.
        free_disk: free space in the folder for large arrays.
        processes: how many processes of the machine may want as much.

    Raises:
        FastreidPruneError: it fits nowhere.
    """
    if wanted != "auto":
        return "host" if wanted == "device" and free_device is None else wanted
    if free_device is not None and num_bytes <= _DEVICE_SHARE * free_device:
        return "device"
    if num_bytes * processes <= _HOST_SHARE * free_host:
        return "host"
    if num_bytes * processes <= _DISK_SHARE * free_disk:
        return "disk"
    raise FastreidPruneError(
        f"the sum of the logits needs {gib(num_bytes)} in each of {processes} process(es); free are "
        f"{gib(free_host)} of memory and {gib(free_disk)} of disk. Give a folder on a larger disk, or record "
        "features and classifier weights instead (FeatureRecorder; the plug-in's FACTORED), which need "
        "no number a class and sample."
    )


def allocate_rows(
    shape: tuple[int, int], storage: str, device: torch.device, folder: str | os.PathLike | None, what: str
) -> Tensor:
    """A zero-filled float32 tensor of ``shape`` in ``storage``, one of :data:`STORAGES`; ``what`` it is, for the log.

    Raises:
        FastreidPruneError: it fits nowhere, or the disk is full.
    """
    num_bytes = 4 * shape[0] * shape[1]
    folder = Path(folder or tempfile.gettempdir())
    place = choose_storage(
        num_bytes, storage, _free_device(device), free_host_memory(), _free_disk(folder), _processes()
    )
    where = {"device": str(device), "host": "host memory", "disk": f"a memory-mapped file in {folder}"}[place]
    logger.info("%s, %d x %d (%s): in %s", what.capitalize(), *shape, gib(num_bytes), where)
    # a tensor made under inference mode could not be added to outside it
    with torch.inference_mode(False):
        if place == "device":
            return torch.zeros(shape, dtype=torch.float32, device=device)
        if place == "host":
            return torch.zeros(shape, dtype=torch.float32)
        return torch.from_numpy(temporary_memmap(shape, folder))


def temporary_memmap(shape: tuple[int, int], folder: Path) -> np.ndarray:
    """A writable float32 memory map of zeros whose file has no name: it goes with the process.

    The space is reserved at once. Else a full disk would be a bus error at some later write.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            reserve(file.fileno(), 4 * shape[0] * shape[1])
            return np.memmap(file, dtype=np.float32, mode="r+", shape=shape)
    except OSError as error:
        raise cannot_write(folder / "(sum of the logits)", error) from error


def reserve(descriptor: int, num_bytes: int) -> None:
    """Make the open file ``num_bytes`` long with the disk space behind it, where the system can."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, num_bytes)
    else:
        os.ftruncate(descriptor, num_bytes)


def free_host_memory() -> int:
    """Bytes that the machine, or this process's control group, can still give."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text().strip()
        if limit != "max":
            free = min(free, int(limit) - int((group / "memory.current").read_text()))
    except OSError:
        pass
    return max(free, 0)


def gib(num_bytes: int) -> str:
    """A size for people."""
    return f"{num_bytes / 2**30:.2f} GiB"


def _free_device(device: torch.device) -> int | None:
    if device.type == "cpu":
        return None
    # of other accelerators it is not known: they are used when asked for, not by "auto"
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 0


def _free_disk(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _processes() -> int:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_world_size()
    return 1
