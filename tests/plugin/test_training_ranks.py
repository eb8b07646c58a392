"""What ranks do together, in two processes over gloo."""

import pytest

SCRIPT = """
import fastreid_prune; fastreid_prune.register()
import sys
import torch, torch.distributed as dist, torch.multiprocessing as mp

def work(rank, port):
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", world_size=2, rank=rank)
    from fastreid.utils import comm
    comm._LOCAL_PROCESS_GROUP = dist.group.WORLD
    from fastreid_prune.plugin import ranks
    group = ranks.patient_group()
    BODY
    ranks.wait_for_all(group)
    dist.destroy_process_group()

if __name__ == "__main__":
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0)); port = s.getsockname()[1]
    mp.spawn(work, nprocs=2, args=(port,))
    print("both ranks agree")
"""


@pytest.mark.parametrize(
    "body",
    [
        # rows of different numbers, one rank without any, no pickles
        "rows = torch.full((3 * rank, 2), float(rank)); found = ranks.gather_rows(rows, group); "
        "assert (found is None) if rank else torch.equal(found, torch.full((3, 2), 1.0))",
        "rows = torch.arange(rank + 1); found = ranks.gather_rows(rows, group); "
        "assert (found is None) if rank else found.tolist() == [0, 0, 1]",
        "values = torch.tensor([1.0 + rank]); ranks.sum_over_ranks(values, group); assert values.item() == 3.0",
        # the buffers of rank 0 inside, each rank's own again afterwards
        "model = torch.nn.BatchNorm1d(2); model.running_mean.fill_(rank + 1.0)\n"
        "    with ranks.buffers_of_first_rank(model, group): inside = model.running_mean.clone()\n"
        "    assert (inside == 1).all() and (model.running_mean == rank + 1).all()",
    ],
)
def test_two_ranks_agree(body, tmp_path, run_command):
    script = tmp_path / "ranks.py"
    script.write_text(SCRIPT.replace("BODY", body))
    assert "both ranks agree" in run_command(script).stdout


@pytest.mark.slow
def test_a_run_of_two_ranks_prunes_itself_by_one_choice(options, run_command, tmp_path):
    script = tmp_path / "train.py"
    script.write_text(
        "import fastreid_prune; fastreid_prune.register()\n"
        "import os, sys, torch\n"
        "from fastreid.config import get_cfg\n"
        "from fastreid.engine import DefaultTrainer, launch\n"
        "from fastreid.utils import comm\n"
        "def main(options):\n"
        "    cfg = get_cfg(); cfg.merge_from_list(options)\n"
        "    trainer = DefaultTrainer(cfg)\n"
        "    trainer.train()\n"
        "    from fastreid_prune.plugin.trainer import in_run_pruning\n"
        "    pruning = in_run_pruning(trainer)\n"
        "    state = {'rows': torch.from_numpy(pruning.rows), 'iterations': pruning.iterations}\n"
        "    state['weights'] = dict(trainer.model.module.named_parameters())\n"
        "    torch.save(state, f'{cfg.OUTPUT_DIR}/rank{comm.get_rank()}.pt')\n"
        "if __name__ == '__main__':\n"
        "    os.makedirs(sys.argv[1], exist_ok=True)\n"
        "    launch(main, 2, dist_url='auto', args=(sys.argv[2:],))\n"
    )
    in_run = [
        "PRUNE.IN_RUN.ENABLED",
        "True",
        "PRUNE.IN_RUN.START",
        "1",
        "PRUNE.RATIO",
        "0.4",
        "PRUNE.SEED",
        "0",
    ]
    run_command(script, tmp_path / "run", *options, *in_run, "SOLVER.MAX_EPOCH", "2", "DATASETS.TESTS", "()")
    import torch

    first, second = (torch.load(tmp_path / "run" / f"rank{rank}.pt", weights_only=False) for rank in (0, 1))
    assert torch.equal(first["rows"], second["rows"])
    assert first["iterations"] == second["iterations"] and first["iterations"][1] < first["iterations"][0]
    assert all(torch.equal(first["weights"][name], second["weights"][name]) for name in first["weights"])
