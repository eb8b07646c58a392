"""What exporting and importing published lists costs: seconds and peak memory of each step, in a process of its own.

python benchmarks/lists.py                       # 1,000,000 samples
python benchmarks/lists.py --samples 20000       # a rehearsal

The run is made up and has no images: file names as Market-1501's, random logits, 3 % mislabelled, 2 % outliers.
Only its entropy is scored beforehand: the export's time holds that of the other scores.
"""

import json
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import torch
from recorder import MIB, peak_memory

from fastreid_prune.formats import export_run, import_lists
from fastreid_prune.formats.paper import FILE_NAMES, RANKING, VERDICTS
from fastreid_prune.manifest import Manifest
from fastreid_prune.scored_run.run_files import RunFiles
from fastreid_prune.scored_run.score_table import ScoreTable
from fastreid_prune.scored_run.verdicts import Verdicts
from fastreid_prune.trajectory import LogitRecorder, Samples, load_trajectory, save_trajectory

DATASET = "Market1501"
FOLDER = "Market-1501-v15.09.15/bounding_box_train"


@click.command()
@click.option("--samples", default=1_000_000, show_default=True)
@click.option("--identities", default=100, show_default=True, help="Also the classes of the scoring model.")
def main(samples: int, identities: int) -> None:
    """Make a run, export its lists, import them and the paper's three files alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        click.echo("| step | wall, s | CPU, s | peak memory, MiB | of it before the step, MiB |")
        click.echo("|---|---|---|---|---|")
        _step("make the run", _make, folder, samples, identities)
        _step("score and judge it", _judge, folder)
        _step("export", _export, folder)
        _step("import ours", _import, folder, "lists")
        own, paper = folder / "lists" / DATASET, folder / "paper" / DATASET
        paper.mkdir(parents=True)
        for file in (FILE_NAMES, RANKING, VERDICTS):
            shutil.copyfile(own / file, paper / file)
        _step("import the paper's format", _import, folder, "paper")
        for file in sorted(own.iterdir()):
            click.echo(f"{file.name}: {file.stat().st_size / MIB:.1f} MiB")
        ours, papers = (Manifest.read(folder / f"{kind}.csv") for kind in ("lists", "paper"))
        same = all(
            (getattr(ours, column) == getattr(papers, column)).all()
            for column in ("file_name", "action", "new_pid")
        )
        click.echo(f"both manifests have {len(ours)} rows, {ours.counts}, and say the same: {same}")


def _step(name: str, call: Callable[..., object], *arguments: object) -> None:
    (wall, cpu), before, peak = peak_memory(_timed, call, *arguments)
    click.echo(f"| {name} | {wall:.1f} | {cpu:.1f} | {peak / MIB:.0f} | {before / MIB:.0f} |")


def _timed(call: Callable[..., None], *arguments: object) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), _cpu_seconds()
    call(*arguments)
    return time.perf_counter() - wall, _cpu_seconds() - cpu


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _make(folder: Path, count: int, identities: int) -> None:
    number = np.arange(count)
    person, camera = number % identities + 1, number % 6
    path = f"{FOLDER}/{{:04}}_c{{}}s1_{{:07}}_00.jpg".format
    persons = np.array([f"market1501_{each}" for each in range(identities + 1)], object)
    cameras = np.array([f"market1501_{each}" for each in range(6)], object)
    names = list(map(path, person.tolist(), (camera + 1).tolist(), number.tolist()))
    samples = Samples.from_items(names, persons[person].tolist(), cameras[camera].tolist())
    recorder = LogitRecorder(count, identities, samples=samples)
    for rows in torch.arange(count).split(8192):
        labels = torch.as_tensor(samples.label[rows.numpy()])
        recorder.update(rows, torch.randn(len(rows), identities), labels)
    recorder.end_epoch()
    trajectory = recorder.trajectory({"dataset": [DATASET], "mode": "eval", "seed": 0})
    save_trajectory(trajectory, folder / "run" / "prune" / "trajectory")


def _judge(folder: Path) -> None:
    table = RunFiles.open(folder / "run").scored(["entropy"])
    draw = np.random.default_rng(0).random(len(table))
    mislabelled, outlier = draw < 0.03, draw > 0.98
    verdict = np.where(mislabelled, "mislabelled", np.where(outlier, "outlier", "clean")).astype(object)
    reason = np.where(mislabelled | outlier, "its neighbours say otherwise", "").astype(object)
    suggested, runner_up = (
        np.where(mislabelled, np.roll(table.pid, -shift), "").astype(object) for shift in (1, 2)
    )
    confidence = np.where(mislabelled | outlier, np.round(0.5 + np.abs(draw - 0.5), 6), np.nan)
    verdicts = Verdicts(verdict, suggested, runner_up, confidence, reason)
    about = table.about | {"thresholds": json.dumps({"precision": 0.95})}
    judged = ScoreTable(table.file_name, table.pid, table.camid, table.scores, verdicts, about)
    judged.write(folder / "run" / "prune")


def _export(folder: Path) -> None:
    export_run(folder / "run", folder / "lists")


def _import(folder: Path, kind: str) -> None:
    samples = load_trajectory(folder / "run").samples
    import_lists(folder / kind, folder / f"{kind}.csv", samples, folder, ratio=0.3, purify=True)


if __name__ == "__main__":
    main()
