"""How good the verdicts are, beside what others would find in the same scored runs.

python benchmarks/purification.py score DATA -o RUNS [--noise uniform:0.1] [--seeds 0,1,2] [-- OPTIONS]
python benchmarks/purification.py table RUNS       # every method, mean and spread over the seeds
python benchmarks/purification.py ablation RUNS    # without each piece of evidence
python benchmarks/purification.py retrain RUNS     # what purifying is worth in accuracy
python benchmarks/purification.py cost             # seconds and memory of judging a large run

``score`` plants errors into DATA (a folder that holds a data set in Market-1501's layout), scores it with the
configuration ``--config``, and goes on where it was stopped: a run that is complete is not made again. cleanlab is
needed for its rows (``pip install '.[benchmark]'``).
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import click
import numpy as np
import torch
from purification_cases import Case, cases_of

from fastreid_prune import load_trajectory
from fastreid_prune.lab.experiments.grid import EPOCHS, ITERATIONS
from fastreid_prune.lab.experiments.runs import epochs_of_iterations, schedule
from fastreid_prune.lab.testbed import plant
from fastreid_prune.plugin.recipes import resolve
from fastreid_prune.purify.calibration import posterior, shares
from fastreid_prune.purify.clip_evidence import ChoiceWeights
from fastreid_prune.purify.evidence import WEIGHED
from fastreid_prune.purify.general import General, expand
from fastreid_prune.purify.judge import DEFAULT_PRECISION, assess
from fastreid_prune.purify.metrics import average_precision
from fastreid_prune.scored_run.injected import given_samples
from fastreid_prune.scored_run.verdicts import Verdicts
from fastreid_prune.trajectory import LogitRecorder, Samples

NOISES = "uniform:0.05,uniform:0.1,uniform:0.2,patterned:0.1,patterned:0.2"
OUTLIERS = 0.03
_weights = click.option(
    "--weights",
    type=click.Path(exists=True, path_type=Path),
    help="General weights fitted to other data sets.",
)
_precisions = click.option(
    "--precision",
    "precisions",
    default=(DEFAULT_PRECISION,),
    show_default=True,
    multiple=True,
    help="Asked of the verdicts; may be repeated.",
)
TRAIN = Path(__file__).parents[1] / "tools" / "train_net.py"


def mean_and_spread(values: list[float] | None) -> str:
    """``mean ± standard deviation``; a dash where there is nothing."""
    finite = [value for value in values or () if np.isfinite(value)]
    if not finite:
        return "–"
    spread = f" ± {np.std(finite, ddof=1):.3f}" if len(finite) > 1 else ""
    return f"{np.mean(finite):.3f}{spread}"


@click.group(help=__doc__.splitlines()[0])
def main() -> None:
    """One command a step."""


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("options", nargs=-1)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder of the runs.")
@click.option("--noise", default=NOISES, show_default=True, help="PATTERN:SHARE, several with commas.")
@click.option("--seeds", default="0,1,2", show_default=True, help="Of the planting and of the training.")
@click.option("--outliers", default=OUTLIERS, show_default=True, help="Share of the images.")
@click.option("--config", default="configs/Demo/score.yml", show_default=True)
def score(
    data: Path, options: tuple[str, ...], output: Path, noise: str, seeds: str, outliers: float, config: str
) -> None:
    """Plant errors into DATA and score it, for each noise and seed; OPTIONS are fastreid's."""
    for seed in seeds.split(","):
        for pattern, share in (one.split(":") for one in noise.split(",")):
            run = output / f"{pattern}-{share}" / f"seed-{seed}"
            if (run / "prune" / "trajectory" / "meta.json").is_file():
                click.echo(f"{run}: there already")
                continue
            bed = run.with_name(f"{run.name}-data")
            plant(data, bed, float(share), pattern, outliers if float(share) else 0.0, int(seed))
            train(config, run, bed, ["PRUNE.PURIFY.CALIBRATE", "True", "PRUNE.SEED", seed, *options])
            click.echo(f"{run}: done")


def train(config: str, output: Path, data: Path, options: list[str]) -> None:
    """Train on the data set in ``data``, in a process of its own; its log is beside ``output``."""
    command = [sys.executable, str(TRAIN), "--config-file", config, "OUTPUT_DIR", str(output), *options]
    output.parent.mkdir(parents=True, exist_ok=True)
    with open(output.with_name(f"{output.name}.log"), "w", encoding="utf-8") as log:
        environment = os.environ | {"FASTREID_DATASETS": str(data.resolve())}
        done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
    if done.returncode != 0:
        raise click.ClickException(f"{output}: the training failed, see {log.name}")


@main.command()
@click.argument("runs", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_weights
@_precisions
def table(runs: Path, weights: Path | None, precisions: tuple[float, ...]) -> None:
    """Print, for each noise in RUNS, every method's figures: mean and spread (standard deviation) over the seeds."""
    general = None if weights is None else General.read(weights)
    for noise, cases in cases_of(runs).items():
        rows: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for case in cases:
            for name, figures in case.compare(general, precisions).items():
                for column, value in figures.items():
                    rows[name][column].append(value)
        click.echo(
            f"\n{runs.name}, {noise}, {len(cases)} seeds; samples moved by the scoring run are left out\n"
        )
        columns = list(next(iter(rows.values())))
        click.echo(f"| | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}")
        for name, row in rows.items():
            click.echo(f"| {name} | {' | '.join(mean_and_spread(row.get(column)) for column in columns)} |")


@main.command()
@click.argument(
    "runs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
def ablation(runs: tuple[Path, ...]) -> None:
    """Print what the average precisions lose without each piece of evidence, the others weighed anew.

    The weights for a data set are fitted to the runs of the others.
    """
    from fit_general_weights import fit_weights, gather

    gathered = gather(runs)
    if len(gathered) < 2:
        raise click.ClickException(
            "RUNS: two data sets or more are needed, to judge each by the others' weights."
        )
    click.echo("| without | AP wrong labels | AP outliers |\n|---|---|---|")
    everything = None
    for left_out in (None, *WEIGHED):
        found = []
        for name, ones in gathered.items():
            weights = fit_weights({other: gathered[other] for other in gathered if other != name}, left_out)
            for case, scaled, _ in ones:
                likelihood = weights.log_likelihood(expand(scaled))
                probability = posterior(likelihood, shares(likelihood))
                wrong = average_precision(case.wrong, probability[:, 1])
                found.append((wrong, average_precision(case.outlier, probability[:, 2])))
        mean = np.nanmean(found, axis=0)
        everything = mean if everything is None else everything
        change = "" if left_out is None else " ({:+.4f})"
        cells = [
            f"{value:.4f}" + change.format(value - base) for value, base in zip(mean, everything, strict=True)
        ]
        click.echo(f"| {left_out or 'nothing'} | {' | '.join(cells)} |")


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("runs", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("options", nargs=-1)
@click.option("--noise", default="uniform-0.2", show_default=True, help="Which of the runs.")
@click.option("--seeds", default="0,1,2", show_default=True)
@click.option("--trainings", default=1, show_default=True, help="On each set of each seed; chance differs.")
@click.option("--budget", type=click.Choice([EPOCHS, ITERATIONS]), default=EPOCHS, show_default=True,
              help="What is the same for every set: the epochs, or the iterations.")  # fmt: skip
@click.option("--config", default="configs/Demo/retrain.yml", show_default=True)
@_precisions
@_weights
@click.option("--clip-weights", metavar="LIKENESS,SHARE", help="Of clips, fitted to other data sets.")
@click.option("--identities", is_flag=True,
              help="And purified with the findings about identities accepted that the truth bears out.")  # fmt: skip
def retrain(
    runs: Path,
    options: tuple[str, ...],
    noise: str,
    seeds: str,
    trainings: int,
    budget: str,
    config: str,
    precisions: tuple[float, ...],
    weights: Path | None,
    clip_weights: str | None,
    identities: bool,
) -> None:
    """Train on the noisy set, on it as purified, and on it as cleaned with the truth; OPTIONS are fastreid's.

    What the truth gains over the noisy set is the gap; the last lines say how much of it purifying closes. Cleaned with
    the truth every planted outlier is gone and every label right, as before the planting. A training whose manifest is
    as it was, or another's of its seed, is not made again.
    """
    general = None if weights is None else General.read(weights)
    of_clips = None if clip_weights is None else ChoiceWeights(*map(float, clip_weights.split(",")))
    click.echo(
        "| seed | trained on | images | wrong labels | outliers | Rank-1 | mAP |\n|---|---|---|---|---|---|---|"
    )
    found: dict[str, list[float]] = defaultdict(list)
    made: dict[tuple[str, int, bytes], dict] = {}
    for seed in seeds.split(","):
        case = Case(runs / noise / f"seed-{seed}")
        arms = {"noisy": Verdicts.unjudged(len(given_samples(case.trajectory)))}
        for asked in precisions:
            arms[f"purified-{asked:g}"] = verdicts = case.judged(general, asked, of_clips)
            if identities:
                arms[f"purified-{asked:g}-identities"] = case.with_identities(verdicts)
        arms["truth"] = case.truth_as_verdicts()
        for name, verdicts in arms.items():
            counts = case.left(verdicts)
            left = " | ".join(str(count) for count in counts)
            same = "" if budget == EPOCHS else "-same-iterations"
            longer = [] if budget == EPOCHS else _same_iterations(config, options, len(verdicts), counts[0])
            for again in range(trainings):
                output = runs / noise / f"seed-{seed}-{name}{f'-{again}' if again else ''}{same}"
                chance = ["PRUNE.SEED", str(int(seed) + 100 * again)]
                manifest = output.with_name(f"{output.name}.csv")
                before = manifest.read_bytes() if manifest.is_file() else None
                case.write_manifest(verdicts, manifest)
                key = seed, again, manifest.read_bytes()
                if key not in made:
                    made[key] = _retrained(
                        case.data, manifest, before, output, config, [*chance, *options, *longer]
                    )
                results = made[key]
                found[name].append((results["Rank-1"] + results["mAP"]) / 2)
                click.echo(f"| {seed} | {name} | {left} | {results['Rank-1']:.1f} | {results['mAP']:.1f} |")
    noisy, gap = np.array(found["noisy"]), np.array(found["truth"]) - found["noisy"]
    for name, values in found.items():
        gained = np.array(values) - noisy
        each = ", ".join(f"{100 * share:.0f}" for share in gained / gap)
        click.echo(
            f"{name}: (Rank-1 + mAP) / 2 = {mean_and_spread(values)}; {100 * gained.mean() / gap.mean():.0f} % of the "
            f"gap closed (by training {each})"
        )


def _same_iterations(config: str, options: tuple[str, ...], whole: int, left: int) -> list[str]:
    recipe = resolve(config, options)
    longer = schedule(recipe, epochs_of_iterations(recipe, whole, left))
    return [str(part) for pair in longer.items() for part in pair]


def _retrained(
    data: Path, manifest: Path, before: bytes | None, output: Path, config: str, options: list[str]
) -> dict:
    """The results of a training on what a manifest leaves; ``before``, what it was when ``output`` was made."""
    record = output / "prune" / "run.json"
    if not record.is_file() or manifest.read_bytes() != before:
        shutil.rmtree(output, ignore_errors=True)
        train(config, output, data, ["PRUNE.MANIFEST", str(manifest), *options])
    return json.loads(record.read_text(encoding="utf-8"))["results"]


@main.command()
@click.option("--samples", default=40_000, show_default=True)
@click.option("--identities", default=1_000, show_default=True)
@click.option("--size", default=2048, show_default=True, help="Of the features.")
def cost(samples: int, identities: int, size: int) -> None:
    """Judge a made-up run of this size, and print the seconds and the peak memory it took."""
    from recorder import GIB, peak_memory

    with tempfile.TemporaryDirectory() as folder:
        peak_memory(_make_run, folder, samples, identities, size)
        seconds, before, peak = peak_memory(_judge_run, folder)
    click.echo(f"{samples} samples x {identities} classes x {size}: {seconds:.0f} s, {peak / GIB:.2f} GiB at most "
               f"({before / GIB:.2f} GiB before)")  # fmt: skip


def _make_run(folder: str, samples: int, identities: int, size: int) -> None:
    rng = np.random.default_rng(0)
    label = np.arange(samples) % identities
    centres = rng.standard_normal((identities, size), np.float32)
    names = Samples.from_items(
        [f"{row:07d}.jpg" for row in range(samples)],
        [f"p_{pid:05d}" for pid in label],
        [str(row % 6) for row in range(samples)],
    )
    recorder = LogitRecorder(samples, identities, samples=names)
    for epoch in range(4):
        for rows in np.array_split(np.arange(samples), samples // 1000 + 1):
            features = centres[label[rows]] + 1.5 * rng.standard_normal((len(rows), size), np.float32)
            logits = rng.standard_normal((len(rows), identities), np.float32)
            logits[np.arange(len(rows)), label[rows]] += 2 * epoch
            recorder.update(*(torch.from_numpy(part) for part in (rows, logits, label[rows], features)))
        recorder.end_epoch()
    switched = {names.file_name[row]: names.pid[(row + 1) % samples] for row in range(0, samples, 50)}
    recorder.save(folder, {"calibration": {"switched": switched, "composed": {}}})


def _judge_run(folder: str) -> float:
    trajectory = load_trajectory(folder)
    start = time.perf_counter()
    assess(trajectory)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
