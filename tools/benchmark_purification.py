"""How good the verdicts are, beside what others would find in the same scored runs.

python tools/benchmark_purification.py score DATA -o RUNS [--noise uniform:0.1] [--seeds 0,1,2] [-- OPTIONS]
python tools/benchmark_purification.py table RUNS       # every method, mean and spread over the seeds
python tools/benchmark_purification.py ablation RUNS    # without each piece of evidence, and each alone

``score`` plants errors into DATA (a folder that holds a data set in Market-1501's layout), scores it with the
configuration ``--config``, and goes on where it was stopped: a run that is complete is not made again. cleanlab is
needed for its rows (``pip install '.[benchmark]'``).
"""

import csv
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import click
import numpy as np

from fastreid_prune import load_trajectory, scores
from fastreid_prune.purify.general import General
from fastreid_prune.purify.judge import assess
from fastreid_prune.purify.metrics import average_precision, quality
from fastreid_prune.purify.paper import paper_rule
from fastreid_prune.purify.planted import Planted, given_samples
from fastreid_prune.purify.soft_labels import soft_label_summary
from fastreid_prune.testbed import plant
from fastreid_prune.testbed.truth import read_truth
from fastreid_prune.verdicts import CLEAN, MISLABELLED, Verdicts

NOISES = "uniform:0.05,uniform:0.1,uniform:0.2,patterned:0.1,patterned:0.2"
OUTLIERS = 0.03
VERDICT_FIELDS = tuple(Verdicts.__dataclass_fields__)
COLUMNS_OF_QUALITY = {
    "AP wrong labels": "wrong_label_ap",
    "AP outliers": "outlier_ap",
    "precision": "precision",
    "recall": "recall",
    "right id among flagged": "relabel_precision",
    "relabelled rightly": "relabelled",
    "outlier precision": "outlier_precision",
    "outlier recall": "outlier_recall",
    "errors mended": "errors_mended",
    "clean altered": "clean_altered",
    "Brier": "brier",
}
TRAIN = Path(__file__).with_name("train_net.py")


class Case:
    """One scored run with the truth of its data set, the samples that the calibration switched left out."""

    def __init__(self, run: Path) -> None:
        """Load the run; its data set is beside it, in ``<run>-data``."""
        self.trajectory = load_trajectory(run)
        planted = Planted.of(self.trajectory)
        self.rows = np.flatnonzero(planted.own & ~planted.switched)
        self.among_own = ~planted.switched[planted.own]
        truth = {row.file: row for row in read_truth(run.with_name(f"{run.name}-data") / "truth.csv")}
        known = [truth[name] for name in self.trajectory.samples.file_name[self.rows]]
        self.wrong = np.array([row.is_mislabelled for row in known])
        self.outlier = np.array([row.is_outlier for row in known])
        prefix = self.trajectory.samples.class_names[0].rsplit("_", 1)[0]
        self.true_pid = np.array([f"{prefix}_{row.true_id}" for row in known], object)

    def compare(self, weights: General | None) -> dict[str, dict[str, float]]:
        """Method -> column -> value, of the judge and of every other method."""
        judgement = assess(self.trajectory, weights=weights)
        ours = Verdicts(*(getattr(judgement.verdicts, name)[self.among_own] for name in VERDICT_FIELDS))
        probabilities = judgement.wrong_probability[self.among_own], judgement.outlier_probability[self.among_own]
        result = {"ours": self._figures(ours, *probabilities)}
        soft = soft_label_summary(self.trajectory)
        rule = self._own(paper_rule(self.trajectory))
        differs = (soft.best != self.trajectory.labels) * soft.best_probability
        result["paper's rule"] = self._figures(rule, differs[self.rows], soft.entropy[self.rows])
        for name in ("entropy", "aum", "el2n", "forgetting", "moving_average_loss", "prototypes"):
            score = scores.compute(self.trajectory, name)[self.rows]
            result[name] = self._ranking(score)
        result["margin"] = self._ranking(self._margin())
        result["cleanlab, in-sample"] = self._cleanlab(np.array(self.trajectory.mean_logits[self.rows]))
        return result

    def _margin(self) -> np.ndarray:
        logits = np.array(self.trajectory.mean_logits[self.rows])
        place, given = np.arange(len(logits)), self.trajectory.labels[self.rows]
        own = logits[place, given].copy()
        logits[place, given] = -np.inf
        return logits.max(1) - own

    def _cleanlab(self, logits: np.ndarray) -> dict[str, float]:
        from cleanlab.filter import find_label_issues
        from cleanlab.rank import get_label_quality_scores

        probability = np.exp(logits - logits.max(1, keepdims=True))
        probability /= probability.sum(1, keepdims=True)
        given = self.trajectory.labels[self.rows]
        issue = find_label_issues(given, probability, n_jobs=1)
        doubt = 1 - get_label_quality_scores(given, probability)
        names = np.array([*self.trajectory.samples.class_names, None], object)[:-1]
        suggested = np.where(issue, names[probability.argmax(1)], "")
        verdict = np.where(issue, MISLABELLED, CLEAN).astype(object)
        blank = np.full(len(given), "", object)
        return self._figures(Verdicts(verdict, suggested, blank, probability.max(1), blank), doubt, None)

    def _own(self, verdicts: Verdicts) -> Verdicts:
        return Verdicts(*(getattr(verdicts, name)[self.rows] for name in VERDICT_FIELDS))

    def _ranking(self, score: np.ndarray) -> dict[str, float]:
        return {
            "AP wrong labels": average_precision(self.wrong, score),
            "AP outliers": average_precision(self.outlier, score),
        }

    def _figures(self, verdicts: Verdicts, wrong: np.ndarray, outlier: np.ndarray | None) -> dict[str, float]:
        measured = quality(verdicts, self.wrong, self.outlier, self.true_pid, wrong, outlier)
        return {column: getattr(measured, name) for column, name in COLUMNS_OF_QUALITY.items()}


def cases_of(runs: Path) -> dict[str, list[Case]]:
    """Noise -> the complete runs of it, by seed."""
    found: dict[str, list[Case]] = defaultdict(list)
    for meta in sorted(runs.glob("*/seed-*/prune/trajectory/meta.json")):
        run = meta.parents[2]
        found[run.parent.name].append(Case(run))
    if not found:
        raise click.ClickException(f"{runs}: no complete runs. Make them with the command score.")
    return found


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
@click.option("--config", default="configs/Demo/score.yml", show_default=True)
def score(data: Path, options: tuple[str, ...], output: Path, noise: str, seeds: str, config: str) -> None:
    """Plant errors into DATA and score it, for each noise and seed; OPTIONS are fastreid's."""
    for seed in seeds.split(","):
        for pattern, share in (one.split(":") for one in noise.split(",")):
            run = output / f"{pattern}-{share}" / f"seed-{seed}"
            if (run / "prune" / "trajectory" / "meta.json").is_file():
                click.echo(f"{run}: there already")
                continue
            bed = run.with_name(f"{run.name}-data")
            plant(data, bed, float(share), pattern, OUTLIERS if float(share) else 0.0, int(seed))
            command = [sys.executable, str(TRAIN), "--config-file", config, "OUTPUT_DIR", str(run)]
            command += ["PRUNE.PURIFY.CALIBRATE", "True", "PRUNE.SEED", seed, *options]
            with open(run.with_suffix(".log"), "w", encoding="utf-8") as log:
                environment = os.environ | {"FASTREID_DATASETS": str(bed.resolve())}
                done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
            click.echo(f"{run}: {'done' if done.returncode == 0 else f'FAILED, see {log.name}'}")



@main.command()
@click.argument("runs", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--weights", type=click.Path(exists=True, path_type=Path), help="General weights fitted to other data sets."
)
def table(runs: Path, weights: Path | None) -> None:
    """Print, for each noise in RUNS, every method's figures: mean and spread (standard deviation) over the seeds."""
    general = None if weights is None else General.read(weights)
    for noise, cases in cases_of(runs).items():
        rows: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for case in cases:
            for name, figures in case.compare(general).items():
                for column, value in figures.items():
                    rows[name][column].append(value)
        click.echo(f"\n{runs.name}, {noise}, {len(cases)} seeds; samples switched by the calibration are left out\n")
        columns = list(rows["ours"])
        click.echo(f"| | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}")
        for name, row in rows.items():
            click.echo(f"| {name} | {' | '.join(mean_and_spread(row.get(column)) for column in columns)} |")


if __name__ == "__main__":
    main()
