"""Memory of a training on CPU."""

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import torch
from fastreid_prune.plugin.memory import keep_freed_memory
torch.set_num_threads(1)
if sys.argv[1] == "kept":
    assert keep_freed_memory()
layers = [torch.nn.Conv2d(3, 16, 3, padding=1)]
for _ in range(6):
    layers += [torch.nn.BatchNorm2d(16), torch.nn.ReLU(), torch.nn.Conv2d(16, 16, 1)]
network = torch.nn.Sequential(*layers)
images = torch.rand(64, 3, 80, 80)
for step in range(5):
    if step == 2:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    network(images).sum().backward()
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
