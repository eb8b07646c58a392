"""All methods from one scored run: how alike they rank, and how many planted errors each puts among its hardest.

python benchmarks/compare_methods.py RUN [--truth truth.csv]
"""

from pathlib import Path

import click
import numpy as np
from scipy.stats import rankdata

from fastreid_prune import load_trajectory, scores
from fastreid_prune.datasets.truth import read_truth


@click.command(help=__doc__.splitlines()[0])
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--truth", type=click.Path(path_type=Path), help="The truth.csv of planted errors.")
@click.option("--share", default=0.1, show_default=True, help="The share of samples counted as hardest.")
def main(run: Path, truth: Path | None, share: float) -> None:
    """Print the tables."""
    trajectory = load_trajectory(run)
    names = [name for name in scores.available() if name != "prototypes" or trajectory.features is not None]
    table = {name: scores.compute(trajectory, name) for name in names}
    click.echo("Spearman correlation of the scores\n")
    click.echo(f"| | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}")
    columns = np.stack(list(table.values()))
    ranks = rankdata(columns[:, ~np.isnan(columns).any(axis=0)], axis=1)
    for name, row in zip(names, np.atleast_2d(np.corrcoef(ranks)), strict=True):
        click.echo(f"| {name} | {' | '.join(f'{value:.2f}' for value in row)} |")
    if truth is None:
        return
    rows = {row.file: row for row in read_truth(truth)}
    wrong, outlier = (
        np.array([file in rows and getattr(rows[file], kind) for file in trajectory.samples.file_name])
        for kind in ("is_mislabelled", "is_outlier")
    )
    count = round(share * len(wrong))
    click.echo(
        f"\nAmong the hardest {share:.0%} of {len(wrong)} samples ({count}); planted are {wrong.sum()} wrong labels "
        f"and {outlier.sum()} outliers, expected by chance {share * wrong.sum():.0f} and {share * outlier.sum():.0f}\n"
    )
    click.echo("| method | wrong labels | outliers |\n|---|---|---|")
    for name, score in table.items():
        hardest = np.argsort(-np.nan_to_num(score, nan=-np.inf), kind="stable")[:count]
        click.echo(f"| {name} | {wrong[hardest].sum()} | {outlier[hardest].sum()} |")


if __name__ == "__main__":
    main()
