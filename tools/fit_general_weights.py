"""Fits the judge's general weights to scored runs with planted errors whose truth is known.

python tools/fit_general_weights.py RUNS... -o fastreid_prune/purify/general_weights.json

RUNS are folders that ``tools/benchmark_purification.py score`` filled, one a data set. Each data set counts as much as
the others, and in each run each of the three classes as much as the others. To measure what the weights are worth on a
data set, fit them to the others' runs, and give them to ``benchmark_purification.py table --weights``.
"""

from pathlib import Path

import click
import numpy as np
from benchmark_purification import Case, cases_of
from sklearn.linear_model import LogisticRegression

from fastreid_prune.purify.calibration import Weights
from fastreid_prune.purify.evidence import COLUMNS, weigh
from fastreid_prune.purify.fitting import usual_of
from fastreid_prune.purify.general import FILE, NAME_COLUMNS, General
from fastreid_prune.purify.planted import Planted
from fastreid_prune.purify.scene import set_scene

# the weight of the prior that a column says nothing, against that of all samples together
_PRIOR = 0.01


@click.command(help=__doc__.splitlines()[0])
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--output", default=FILE, type=click.Path(path_type=Path), show_default=True)
def main(runs: tuple[Path, ...], output: Path) -> None:
    """Gather the evidence of every run, fit, write."""
    rows, kinds, rights, weights, about = [], [], [], [], []
    for folder in runs:
        cases = [case for cases in cases_of(folder).values() for case in cases if case.wrong.any()]
        about.append(f"{folder.name} ({len(cases)} runs)")
        for case in cases:
            scaled, right = evidence_of(case)
            kind = np.where(case.outlier, 2, np.where(case.wrong, 1, 0))
            count = np.bincount(kind, minlength=3)
            rows.append(scaled)
            kinds.append(kind)
            rights.append(right)
            weights.append(1 / count[kind] / (count > 0).sum() / len(cases) / len(runs))
            click.echo(f"{folder.name}: {len(kind)} samples, {count[1]} wrong labels, {count[2]} outliers")
    x, y, right, weight = (np.concatenate(part) for part in (rows, kinds, rights, weights))
    model = LogisticRegression(C=1 / _PRIOR, max_iter=5000).fit(x, y, sample_weight=weight)
    mislabelled = y == 1
    columns = [COLUMNS.index(name) for name in NAME_COLUMNS]
    name = LogisticRegression(C=1 / _PRIOR, max_iter=5000)
    name.fit(x[mislabelled][:, columns], right[mislabelled], sample_weight=3 * weight[mislabelled])
    fitted = Weights(model.coef_, model.intercept_)
    General(fitted, name.coef_[0], float(name.intercept_[0]), ", ".join(about)).write(output)
    for column, coefficients in zip(COLUMNS, model.coef_.T, strict=True):
        click.echo(f"{column:10} wrong {coefficients[1] - coefficients[0]:6.2f}  outlier "
                   f"{coefficients[2] - coefficients[0]:6.2f}")  # fmt: skip
    click.echo(f"written: {output}")


def evidence_of(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """The scaled evidence [n, F] of a case's samples, and whether the suggested identity is the true one, [n] bool."""
    planted = Planted.of(case.trajectory)
    scene = set_scene(case.trajectory, planted.label, planted.own)
    evidence = weigh(case.trajectory, scene, planted.label)
    natural = planted.own & ~planted.switched & evidence.seen
    scaled = usual_of(evidence, natural, scene.trust)(evidence.columns)
    names = np.array([*case.trajectory.samples.class_names, None], object)[:-1]
    return scaled[case.rows], names[evidence.suggested[case.rows]] == case.true_pid


if __name__ == "__main__":
    main()
