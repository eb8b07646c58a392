"""Memory of a training on CPU."""

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import torch
from fastreid_prune.plugin.memory import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
for step in range(24):
    if step == 6:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [torch.ones(count * 1_000_000) for count in (1, 7, 2, 6, 3, 5, 4)]
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
def test_memory_that_a_step_freed_is_used_by_the_next_without_page_faults():
    def page_faults(mode: str) -> int:
        done = subprocess.run(
            [sys.executable, "-c", FAULTS, mode], capture_output=True, check=True, text=True
        )
        return int(done.stdout)

    assert 4 * page_faults("kept") < page_faults("given back")
