#!/usr/bin/env python
"""Kill a scoring run at random moments, resume it, and compare what it recorded with an unbroken run.

    python benchmarks/kill_and_resume.py --kills 20

A small demo is scored by the real trainer, once to its end. Then it is started anew for each kill, SIGKILLed, and
resumed with ``--resume``. Every other kill waits for a checkpoint or a recorder's state to be half written. Each
resumed run's trajectory, scores and weights have to be those of the unbroken run, bit for bit; the status is 1 if one
is not. With ``--set PRUNE.IN_RUN.ENABLED=True --set PRUNE.IN_RUN.START=2 --set PRUNE.RATIO=0.4`` the run prunes itself.
"""

import importlib
import multiprocessing
import os
import random
import runpy
import signal
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np
import torch

import fastreid_prune
from fastreid_prune import load_trajectory
from fastreid_prune.lab.demo import write_demo

REPOSITORY = Path(__file__).parents[1]
SMALL = {
    "MODEL.BACKBONE.NAME": "build_osnet_backbone",
    "MODEL.BACKBONE.DEPTH": "x0_25",
    "MODEL.BACKBONE.FEAT_DIM": "128",
    "DATALOADER.NUM_WORKERS": "1",
    "SOLVER.IMS_PER_BATCH": "16",
    "SOLVER.CHECKPOINT_PERIOD": "1",
    "SOLVER.WARMUP_ITERS": "5",
    "TEST.EVAL_PERIOD": "2",
    "PRUNE.SEED": "0",
}


class Trainings:
    """Starts the same scoring run in one folder or another, each in a process of its own.

    The processes are forked from this one, which has everything imported: most of a small run's time is that.

    Args:
        folder: for the data and the outputs.
        options: of fastreid's configuration.
    """

    def __init__(self, folder: Path, options: dict[str, str]) -> None:
        self.folder, self._options = folder, options
        write_demo(folder / "data", seed=1, train_ids=10, test_ids=3, wrong_labels=0.0, outliers=0.0)
        os.environ["FASTREID_DATASETS"] = str(folder / "data")
        fastreid_prune.register()
        importlib.import_module("fastreid.engine")

    def start(self, name: str, *arguments: str) -> multiprocessing.Process:
        """A process that trains into the folder ``name``."""
        output = self.folder / name
        options = [part for pair in {**self._options, "OUTPUT_DIR": str(output)}.items() for part in pair]
        config = ["--config-file", str(REPOSITORY / "configs" / "Demo" / "score.yml")]
        command = [str(REPOSITORY / "tools" / "train_net.py"), *config, *arguments, *options]
        process = multiprocessing.get_context("fork").Process(
            target=run_script, args=(command, self.folder / f"{name}.log")
        )
        process.start()
        return process

    def finish(self, name: str, *arguments: str) -> float:
        """Train to the end; gives the seconds."""
        began = time.perf_counter()
        process = self.start(name, *arguments)
        process.join()
        if process.exitcode:
            raise click.ClickException(f"the run failed; the end of its log:\n{self.log(name)[-3000:]}")
        return time.perf_counter() - began

    def log(self, name: str) -> str:
        """What the run has said."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def half_written(self, name: str) -> list[str]:
        """The checkpoints, states and results that are being written now (or were when the process died)."""
        found = (self.folder / name).rglob(".*.part")
        return sorted(path.name[1:].rsplit(".", 2)[0] for path in found)


def run_script(command: list[str], log: Path) -> None:
    """Be ``python command…``, in a group of processes of its own, with all that it says in ``log``."""
    os.setsid()
    with open(log, "ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    torch.set_num_threads(1)
    sys.argv = command
    runpy.run_path(command[0], run_name="__main__")


def kill_at(trainings: Trainings, name: str, seconds: float, in_a_write: bool) -> str:
    """Start a run and kill it after ``seconds``, or at the next file it writes after that; says where it was."""
    process = trainings.start(name)
    time.sleep(seconds)
    while in_a_write and process.is_alive() and not trainings.half_written(name):
        time.sleep(0.0002)
    if not process.is_alive():
        return "after its end"
    # the trainer and its loading workers
    os.killpg(process.pid, signal.SIGKILL)
    process.join()
    epochs = trainings.log(name).count("Clean pass over the training set")
    writing = ", ".join(trainings.half_written(name))
    return f"in pass {epochs}" + (f", writing {writing}" if writing else "")


def differences(found: Path, expected: Path) -> list[str]:
    """What of a run's results is not, bit for bit, that of another run."""
    a, b = load_trajectory(found), load_trajectory(expected)
    arrays = {name: (array, getattr(b.epochs, name)) for name, array in vars(a.epochs).items()}
    arrays |= {name: (getattr(a, name), getattr(b, name)) for name in ("mean_logits", "features", "labels")}
    unequal = [name for name, (x, y) in arrays.items() if not np.array_equal(x[:], y[:], equal_nan=True)]
    weights, others = (
        torch.load(run / "model_final.pth", weights_only=False)["model"] for run in (found, expected)
    )
    if not all(torch.equal(weights[name], others[name]) for name in others):
        unequal.append("weights")
    if (found / "prune" / "scores.csv").read_bytes() != (expected / "prune" / "scores.csv").read_bytes():
        unequal.append("scores.csv")
    if (found / "prune" / "state").exists():
        unequal.append("state left behind")
    return unequal


@click.command(help=__doc__.splitlines()[0])
@click.option("--kills", default=20, show_default=True)
@click.option("--epochs", default=5, show_default=True)
@click.option("--mode", default="eval", show_default=True, type=click.Choice(["eval", "train"]))
@click.option("--seed", default=0, show_default=True, help="Of the moments.")
@click.option(
    "--set", "options", multiple=True, metavar="KEY=VALUE", help="Further options of the configuration."
)
def main(kills: int, epochs: int, mode: str, seed: int, options: tuple[str, ...]) -> None:
    """Run, and print a line a kill."""
    chosen = {**SMALL, "PRUNE.CAPTURE.MODE": mode, "SOLVER.MAX_EPOCH": str(epochs)}
    chosen |= dict(option.split("=", 1) for option in options)
    chance, failed = random.Random(seed), 0
    with tempfile.TemporaryDirectory() as folder:
        trainings = Trainings(Path(folder), chosen)
        whole = trainings.finish("unbroken")
        visits = load_trajectory(trainings.folder / "unbroken").epochs.visits
        click.echo(
            f"{mode} mode, {visits.shape[0]} epochs, {visits.shape[1]} samples, {whole:.1f} s unbroken"
        )
        click.echo("| kill | after, s | killed | resumed from epoch | result |\n|---|---|---|---|---|")
        for number in range(kills):
            name = f"kill-{number}"
            moment = whole * (number + chance.random()) / kills
            where = kill_at(trainings, name, moment, in_a_write=number % 2 == 1)
            said = len(trainings.log(name))
            trainings.finish(name, "--resume")
            start = trainings.log(name)[said:].split("Starting training from epoch ")[1].split()[0]
            unequal = differences(trainings.folder / name, trainings.folder / "unbroken")
            failed += bool(unequal)
            result = f"DIFFERENT: {', '.join(unequal)}" if unequal else "equal"
            click.echo(f"| {number + 1} | {moment:.1f} | {where} | {start} | {result} |")
    click.echo(f"{kills - failed} of {kills} resumed runs equal the unbroken one.")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
