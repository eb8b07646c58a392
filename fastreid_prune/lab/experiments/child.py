"""The process of one training: ``python -m fastreid_prune.lab.experiments.child SCRIPT ARGUMENTS…``.

As ``fastreid-prune run``, but it ends when the process that started it does: a sweep that was killed leaves no
training behind that nobody waits for.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Be killed when the parent ends (Linux; elsewhere the run's lock keeps a second one from starting)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("The process that started this one is gone.")


if __name__ == "__main__":
    die_with_parent(int(os.environ.get("FASTREID_PRUNE_PARENT", os.getppid())))
    from fastreid_prune.cli import main

    main(["run", *sys.argv[1:]])
