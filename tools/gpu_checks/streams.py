"""Batches must not be overwritten while the device still reads them."""

import os
import subprocess
import sys

import torch
from torch.utils.data import Dataset

import fastreid_prune
from gpu_checks.registry import Context, check

SLEEP = 20_000_000  # cycles a forward waits before it reads its batch
BATCHES, BATCH, SIZE = 24, 64, (3, 64, 64)


class Numbered(Dataset):
    """Image i holds the number i everywhere."""

    def __len__(self) -> int:
        return BATCHES * BATCH

    def __getitem__(self, row: int) -> dict[str, object]:
        return {"images": torch.full(SIZE, float(row)), "targets": row}


def overwritten(wait: bool) -> int:
    """How many images of one pass through fastreid's loader a slow forward reads as another's."""
    fastreid_prune.register()
    from fastreid.data.data_utils import DataLoaderX

    loader = DataLoaderX(0, dataset=Numbered(), batch_size=BATCH, num_workers=4, pin_memory=True)
    model = torch.nn.Identity().cuda()
    model.register_forward_pre_hook(lambda *_: torch.cuda._sleep(SLEEP))
    wrong = torch.zeros((), dtype=torch.int64, device="cuda")
    expected = torch.arange(len(loader.dataset), device="cuda").split(BATCH)
    for number, batch in enumerate(iter(loader)):
        seen = model(batch["images"]).mul_(2)  # in place, as fastreid normalises its images
        wrong += (seen.amin((1, 2, 3)) != 2 * expected[number]).sum()
        if wait:
            torch.cuda.synchronize()
        del batch, seen
    return int(wrong)


@check("streams")
def streams(context: Context) -> str:
    """A slow forward, against one that waits after every batch; fastreid's own loader shows the fault."""
    context.needs_gpu()
    waiting, ours = overwritten(wait=True), overwritten(wait=False)
    code = "from gpu_checks.streams import overwritten; print(overwritten(False))"
    off = {**os.environ, "FASTREID_PRUNE_WITHOUT": "loader-streams", "PYTHONPATH": os.pathsep.join(sys.path)}
    theirs = subprocess.run([sys.executable, "-c", code], env=off, capture_output=True, text=True, check=True)
    unpatched = int(theirs.stdout.split()[-1])
    context.figures.update(waiting=waiting, ours=ours, unpatched=unpatched)
    assert waiting == 0 and ours == 0, (
        f"{ours} of {BATCHES * BATCH} images overwritten, {waiting} with a wait"
    )
    return f"0 of {BATCHES * BATCH} images overwritten; without the patch {unpatched}"
