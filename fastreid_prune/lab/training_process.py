"""The process of one training: ``python -m fastreid_prune.lab.training_process SCRIPT ARGUMENTS…``.

It hangs on a line: a pipe, its standard input. When the process that holds the other end lets go, or is gone, however
it ended, the training ends too: a sweep that was killed leaves no training behind that nobody waits for.
"""

import os
import sys
import threading

CUT_OFF = (
    75  # the exit status of a training whose line was cut; it goes on from its last checkpoint another time
)


class Line:
    """What trainings hang on. ``end`` is a file descriptor, for their standard input."""

    def __init__(self) -> None:
        self.end, self._held = os.pipe()

    def cut(self) -> None:
        """End the trainings."""
        os.close(self._held)


def _end_when_cut() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(CUT_OFF)


if __name__ == "__main__":
    threading.Thread(target=_end_when_cut, daemon=True).start()
    from fastreid_prune.plugin.launcher import run_script

    run_script(sys.argv[1], sys.argv[2:])
