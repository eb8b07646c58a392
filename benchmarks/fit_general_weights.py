"""Fits the judge's general weights to scored runs with planted errors whose truth is known.

python benchmarks/fit_general_weights.py RUNS... -o fastreid_prune/purify/general_weights.json

RUNS are folders that ``benchmarks/purification.py score`` filled; those of the same name are of one data set. Each
data set counts as much as the others, and so does each of its runs. To measure what the weights are worth on a data
set, fit them to the others' runs, and give them to ``purification.py table --weights``.
"""

from collections import defaultdict
from pathlib import Path

import click
import numpy as np
from purification_cases import Case, cases_of
from sklearn.linear_model import LogisticRegression

from fastreid_prune.purify.calibration import CLEAN_CLASS, OUTLIER_CLASS, WRONG_CLASS, Weights
from fastreid_prune.purify.evidence import weigh
from fastreid_prune.purify.fitting import usual_of
from fastreid_prune.purify.general import FILE, General, expand, terms
from fastreid_prune.purify.reference_set import build_reference_set
from fastreid_prune.scored_run.injected import InjectedErrors

# the weight of the prior that a column says nothing, against that of all samples together
_PRIOR = 0.01
# how much the classes (clean, wrong label, outlier) count in each run, whatever it holds: about as in a data set that
# is worth purifying, so that the weights are best where verdicts are decided
_CLASS_SHARE = np.array([0.87, 0.10, 0.03])


Gathered = dict[str, list[tuple[Case, np.ndarray, np.ndarray]]]


@click.command(help=__doc__.splitlines()[0])
@click.argument(
    "runs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("-o", "--output", default=FILE, type=click.Path(path_type=Path), show_default=True)
def main(runs: tuple[Path, ...], output: Path) -> None:
    """Gather the evidence of every run, fit, write."""
    gathered = gather(runs)
    about = ", ".join(f"{name} ({len(cases)} runs)" for name, cases in gathered.items())
    weights = fit_weights(gathered)
    name = fit_name(gathered)
    General(weights, name.coef_[0], float(name.intercept_[0]), about).write(output)
    for term, (clean, wrong, outlier) in zip(terms(), weights.coefficients.T, strict=True):
        click.echo(f"{' x '.join(term):20} wrong {wrong - clean:6.2f}  outlier {outlier - clean:6.2f}")
    click.echo(f"from {about}; written: {output}")


def gather(runs: tuple[Path, ...]) -> Gathered:
    """Data set -> its runs that hold errors, each with :func:`evidence_of` it."""
    gathered = defaultdict(list)
    for folder in runs:
        for cases in cases_of(folder).values():
            gathered[folder.name] += [(case, *evidence_of(case)) for case in cases if case.wrong.any()]
    return dict(gathered)


def fit_weights(gathered: Gathered, without: str | None = None) -> Weights:
    """The weights of the three classes; ``without`` names a column to leave out."""
    scaled, kind, _, weight = _pooled(gathered)
    use = np.array([without not in term for term in terms()], float)
    model = LogisticRegression(C=1 / _PRIOR, max_iter=5000)
    model.fit(expand(scaled) * use, kind, sample_weight=weight * _CLASS_SHARE[kind])
    return Weights(model.coef_ * use, model.intercept_ - np.log(_CLASS_SHARE))


def fit_name(gathered: Gathered) -> LogisticRegression:
    """What tells that the suggested identity of a wrong label is the right one."""
    scaled, kind, right, weight = _pooled(gathered)
    wrong = kind == WRONG_CLASS
    model = LogisticRegression(C=1 / _PRIOR, max_iter=5000)
    return model.fit(scaled[wrong], right[wrong], sample_weight=weight[wrong])


def _pooled(gathered: Gathered) -> tuple[np.ndarray, ...]:
    """Of all samples: the evidence, the class, that the name is right, and a weight, 1 for each class of all runs."""
    parts = []
    for cases in gathered.values():
        for case, scaled, right in cases:
            kind = np.where(case.outlier, OUTLIER_CLASS, np.where(case.wrong, WRONG_CLASS, CLEAN_CLASS))
            count = np.bincount(kind, minlength=3)
            parts.append((scaled, kind, right, 1 / count[kind] / len(cases) / len(gathered)))
    return tuple(np.concatenate(part) for part in zip(*parts, strict=True))


def evidence_of(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """The scaled evidence [n, F] of a case's samples, and whether the suggested identity is the true one, [n] bool."""
    planted = InjectedErrors.of(case.trajectory)
    reference = build_reference_set(case.trajectory, planted.label, planted.dataset_rows)
    evidence = weigh(case.trajectory, reference, planted.label)
    natural = planted.dataset_rows & ~planted.moved & evidence.seen
    scaled = usual_of(evidence, natural, reference.label_confidence)(evidence.columns)
    names = np.array([*case.trajectory.samples.class_names, None], object)[:-1]
    return scaled[case.rows], names[evidence.suggested[case.rows]] == case.true_pid


if __name__ == "__main__":
    main()
