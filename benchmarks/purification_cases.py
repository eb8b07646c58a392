"""A scored run with the truth of its data set: every method's figures on it, and manifests made of the verdicts."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from fastreid_prune import load_trajectory, scores
from fastreid_prune.datasets.truth import read_truth
from fastreid_prune.manifest import Manifest
from fastreid_prune.manifest.brake import brake
from fastreid_prune.purify.clip_evidence import ChoiceWeights
from fastreid_prune.purify.clip_verdicts import judge_clips
from fastreid_prune.purify.general import General
from fastreid_prune.purify.identity_findings import identity_findings
from fastreid_prune.purify.judge import DEFAULT_PRECISION, assess
from fastreid_prune.purify.kind_quality import TrueIdentities
from fastreid_prune.purify.metrics import average_precision, quality
from fastreid_prune.purify.paper import paper_rule
from fastreid_prune.purify.soft_labels import soft_label_summary
from fastreid_prune.scored_run.identity_changes import apply_identities
from fastreid_prune.scored_run.identity_table import ACCEPT, REFUSE
from fastreid_prune.scored_run.injected import InjectedErrors, given_samples
from fastreid_prune.scored_run.score_table import ScoreTable
from fastreid_prune.scored_run.verdicts import CLEAN, MISLABELLED, OUTLIER, Verdicts

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
    "errors corrected": "errors_mended",
    "clean altered": "clean_altered",
    "Brier": "brier",
}


class Case:
    """One scored run with the truth of its data set, the samples that the scoring run moved on purpose left out."""

    def __init__(self, run: Path) -> None:
        """Load the run; its data set is beside it, in ``<run>-data``."""
        self.data = run.with_name(f"{run.name}-data")
        self.trajectory = load_trajectory(run)
        planted = InjectedErrors.of(self.trajectory)
        self.rows = np.flatnonzero(planted.dataset_rows & ~planted.moved)
        self.among_own = ~planted.moved[planted.dataset_rows]
        truth = {row.file: row for row in read_truth(self.data / "truth.csv")}
        self._truth = truth
        known = [truth[name] for name in self.trajectory.samples.file_name[self.rows]]
        self.wrong = np.array([row.is_mislabelled for row in known])
        self.outlier = np.array([row.is_outlier for row in known])
        prefix = self.trajectory.samples.class_names[0].rsplit("_", 1)[0]
        self.true_pid = np.array([f"{prefix}_{row.true_id}" for row in known], object)

    def truth_as_verdicts(self) -> Verdicts:
        """What a judge who knew everything would say of the data set's own samples."""
        rows = [self._truth[name] for name in given_samples(self.trajectory).file_name]
        prefix = self.trajectory.samples.class_names[0].rsplit("_", 1)[0]
        verdict = [OUTLIER if r.is_outlier else MISLABELLED if r.is_mislabelled else CLEAN for r in rows]
        suggested = [f"{prefix}_{r.true_id}" if r.is_mislabelled else "" for r in rows]
        blank = np.full(len(rows), "", object)
        columns = (np.array(part, object) for part in (verdict, suggested))
        return Verdicts(*columns, blank, np.ones(len(rows)), blank)

    def judged(
        self, weights: General | None, precision: float, of_clips: ChoiceWeights | None = None
    ) -> Verdicts:
        """What the judge says of the data set's own samples, one by one and in clips, as far as it may be obeyed."""
        single = assess(self.trajectory, weights=weights, precision=precision).verdicts
        verdicts = judge_clips(self.trajectory, precision, single, of_clips).apply(single)
        samples, nothing = given_samples(self.trajectory), np.zeros(len(verdicts), bool)
        in_doubt = verdicts.in_doubt
        braked = brake(samples.pid, verdicts, in_doubt, nothing)
        columns = {name: getattr(braked.verdicts, name).copy() for name in VERDICT_FIELDS}
        columns["confidence"][in_doubt & ~braked.in_doubt] = np.nan
        return Verdicts(**columns)

    def with_identities(self, verdicts: Verdicts) -> Verdicts:
        """The verdicts with the findings about identities acted on that a person who knows who is who accepts."""
        samples = given_samples(self.trajectory)
        true_id = [self._truth[name].true_id for name in samples.file_name]
        known = TrueIdentities.of(samples.pid, samples.camid, true_id)
        findings = [
            replace(one, decision=ACCEPT if known.bears_out(one) else REFUSE)
            for one in identity_findings(self.trajectory)
        ]
        return apply_identities(findings, samples.file_name, samples.pid, verdicts)

    def left(self, verdicts: Verdicts) -> tuple[int, int, int]:
        """If the verdicts are obeyed: the samples that are left, wrong labels among them, outliers among them."""
        truth = self.truth_as_verdicts()
        samples = given_samples(self.trajectory)
        right = np.where(truth.verdict == MISLABELLED, truth.suggested_pid, samples.pid)
        now = np.where(verdicts.verdict == MISLABELLED, verdicts.suggested_pid, samples.pid)
        stays = ~_left_out(verdicts)
        foreign = truth.verdict == OUTLIER
        return int(stays.sum()), int((stays & ~foreign & (now != right)).sum()), int((stays & foreign).sum())

    def write_manifest(self, verdicts: Verdicts, path: Path) -> None:
        """Write a manifest that obeys the verdicts, as ``prune --ratio 0 --purify`` does."""
        samples = given_samples(self.trajectory)
        score = np.zeros(len(samples))
        table = ScoreTable(samples.file_name, samples.pid, samples.camid, {"none": score}, verdicts)
        manifest = Manifest.build(table, score, ~_left_out(verdicts), verdicts, method="none", ratio=0.0)
        path.parent.mkdir(parents=True, exist_ok=True)
        manifest.write(path)

    def compare(
        self, weights: General | None, precisions: tuple[float, ...] = (DEFAULT_PRECISION,)
    ) -> dict[str, dict[str, float]]:
        """Method -> column -> value, of the judge, for each precision asked for, and of every other method."""
        result = {}
        for asked in precisions:
            judgement = assess(self.trajectory, weights=weights, precision=asked)
            ours = Verdicts(*(getattr(judgement.verdicts, name)[self.among_own] for name in VERDICT_FIELDS))
            probabilities = judgement.wrong_probability, judgement.outlier_probability
            name = "ours" if asked == DEFAULT_PRECISION else f"ours, {asked:g} asked for"
            result[name] = self._figures(ours, *(each[self.among_own] for each in probabilities))
        soft = soft_label_summary(self.trajectory)
        rule = self._own(paper_rule(self.trajectory))
        differs = (soft.best != self.trajectory.labels) * soft.best_probability
        result["paper's rule"] = self._figures(rule, differs[self.rows], soft.entropy[self.rows])
        for name in ("entropy", "aum", "el2n", "forgetting", "moving_average_loss", "prototypes"):
            score = scores.compute(self.trajectory, name)[self.rows]
            result[name] = self._ranking(score)
        result["margin"] = self._ranking(self._margin())
        names = np.array([*self.trajectory.samples.class_names, None], object)[:-1]
        logits, given = np.array(self.trajectory.mean_logits[self.rows]), self.trajectory.labels[self.rows]
        result["cleanlab, in-sample"] = self.cleanlab(logits, given, names)
        return result

    def _margin(self) -> np.ndarray:
        logits = np.array(self.trajectory.mean_logits[self.rows])
        place, given = np.arange(len(logits)), self.trajectory.labels[self.rows]
        own = logits[place, given].copy()
        logits[place, given] = -np.inf
        return logits.max(1) - own

    def cleanlab(self, logits: np.ndarray, given: np.ndarray, names: np.ndarray) -> dict[str, float]:
        """cleanlab's figures by logits [n, C] and labels [n] of this case's samples; ``names`` [C] of the classes."""
        from cleanlab.filter import find_label_issues
        from cleanlab.rank import get_label_quality_scores

        probability = np.exp(logits - logits.max(1, keepdims=True))
        probability /= probability.sum(1, keepdims=True)
        issue = find_label_issues(given, probability, n_jobs=1)
        doubt = 1 - get_label_quality_scores(given, probability)
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
        figures = {column: getattr(measured, name) for column, name in COLUMNS_OF_QUALITY.items()}
        bins = measured.reliability
        off = sum(count * abs(confidence - right) for confidence, right, count in bins)
        return figures | {"calibration error": off / sum(bin[2] for bin in bins) if bins else np.nan}


def _left_out(verdicts: Verdicts) -> np.ndarray:
    """[N] bool, what purifying leaves out."""
    return verdicts.outlier | verdicts.in_doubt


def cases_of(runs: Path) -> dict[str, list[Case]]:
    """Noise -> the complete runs of it, by seed."""
    found: dict[str, list[Case]] = defaultdict(list)
    for meta in sorted(runs.glob("*/seed-*/prune/trajectory/meta.json")):
        run = meta.parents[2]
        found[run.parent.name].append(Case(run))
    if not found:
        raise click.ClickException(f"{runs}: no complete runs. Make them with the command score.")
    return found
