#!/usr/bin/env python
"""Does everything work on this GPU? One line a check, a JSON beside; status 1 if one fails.

    python tools/gpu_check.py                      # all checks: about 8 minutes, no network
    python tools/gpu_check.py --only streams       # one of them; names may be given several times
    python tools/gpu_check.py --small              # cut down, to rehearse: what can run on a CPU runs there

Each check compares with what it does not share code with: the same on the CPU, the same with a wait after every
batch, or whole numbers. Where something is not there (a GPU, a faiss for it) it says "not checked", and why.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import torch
from gpu_checks import cost, machine, ranking, recording, runs, streams
from gpu_checks.registry import CHECKS, Context, run_checks

MODULES = (machine, streams, recording, ranking, runs, cost)  # in this order
NAMES = [name for module in MODULES for name in CHECKS if CHECKS[name].__module__ == module.__name__]


def main() -> int:
    """Run the checks that the command line names; 1 if one fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", choices=NAMES, help="a check to run; all by default")
    parser.add_argument("--skip", action="append", default=[], choices=NAMES, help="a check to leave out")
    parser.add_argument("--small", action="store_true", help="cut the sizes down, to rehearse")
    parser.add_argument("--json", type=Path, default=Path("gpu_check.json"), help="where the figures go")
    arguments = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        print("No GPU here: what can run on a CPU runs there.")
    began = time.perf_counter()
    names = [name for name in arguments.only or NAMES if name not in arguments.skip]
    with tempfile.TemporaryDirectory() as folder:
        fine = run_checks(Context(Path(folder), device, arguments.small), names, arguments.json)
    print(
        f"{'All fine' if fine else 'SOMETHING FAILED'}, {time.perf_counter() - began:.0f} s; {arguments.json}"
    )
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
