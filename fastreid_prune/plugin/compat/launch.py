"""Several processes on CPU: fastreid's ``launch`` insists on CUDA and NCCL."""

import time
from typing import Any

import torch

from fastreid_prune.plugin.compat.patch import Patch, always


def _launch_on_cpu_too() -> None:
    from fastreid.engine import launch

    # The engine package re-exports the function under the module's own name: reach the module itself.
    module = __import__("sys").modules[launch.__module__]
    original = module._distributed_worker

    def choose(
        local_rank: Any,
        main: Any,
        world_size: Any,
        processes: Any,
        machine_rank: Any,
        url: Any,
        arguments: Any,
    ) -> None:
        worker = cpu_worker
        if requested_device(arguments) == "cuda":
            # before the first barrier, which otherwise makes a context of every rank on the first card
            torch.cuda.set_device(local_rank)
            worker = original
        worker(local_rank, main, world_size, processes, machine_rank, url, arguments)

    # Child processes find the worker by its module and name.
    choose.__module__, choose.__qualname__, choose.__name__ = (
        module.__name__,
        "_distributed_worker",
        "_distributed_worker",
    )
    module._distributed_worker = choose


def cpu_worker(
    local_rank: Any, main: Any, world_size: Any, processes: Any, machine_rank: Any, url: Any, arguments: Any
) -> None:
    """fastreid's ``_distributed_worker`` with gloo and without CUDA."""
    import torch.distributed as dist
    from fastreid.utils import comm

    dist.init_process_group(
        backend="gloo", init_method=url, world_size=world_size, rank=machine_rank * processes + local_rank
    )
    # Processes of one machine share its cores; torch would give all of them to each.
    torch.set_num_threads(max(1, torch.get_num_threads() // processes))
    for machine in range(world_size // processes):
        group = dist.new_group(list(range(machine * processes, (machine + 1) * processes)))
        if machine == machine_rank:
            comm._LOCAL_PROCESS_GROUP = group
    main(*arguments)
    # gloo's thread frees what was last exchanged, and needs Python's lock for it. torch 2.3 holds the lock while it
    # destroys the group and waits for that thread: for ever, if it is not done by then.
    time.sleep(0.2)
    dist.destroy_process_group()


def requested_device(arguments: tuple) -> str:
    """``"cuda"`` or ``"cpu"``: what the command line or the config file asks for, as far as this machine can.

    Args:
        arguments: what ``launch`` passes to the script's main function; its first is fastreid's parsed command line.
    """
    if not torch.cuda.is_available():
        return "cpu"
    command_line = arguments[0] if arguments else None
    options = list(getattr(command_line, "opts", None) or [])
    if "MODEL.DEVICE" in options[::2]:
        device = options[1::2][options[::2].index("MODEL.DEVICE")]
    elif config_file := getattr(command_line, "config_file", ""):
        from fastreid.config import CfgNode

        device = CfgNode.load_yaml_with_base(config_file).get("MODEL", {}).get("DEVICE", "cuda")
    else:
        device = "cuda"
    return "cpu" if device.startswith("cpu") else "cuda"


PATCH = Patch(
    name="launch-cpu",
    breaks="`--num-gpus 2 MODEL.DEVICE cpu` stops: `launch` asserts CUDA and starts NCCL; on GPUs all ranks take "
    "memory on the first card, since the device is set after the first barrier",
    versions="all",
    needed=always,
    apply=_launch_on_cpu_too,
)
