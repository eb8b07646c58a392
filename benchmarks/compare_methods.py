"""All methods from one scored run: how alike they rank, and how many planted errors each puts among its hardest.

python benchmarks/compare_methods.py RUN [--truth truth.csv]
"""

from pathlib import Path

import click
import numpy as np

from fastreid_prune import load_trajectory, scores
from fastreid_prune.lab.comparison import read_planted
from fastreid_prune.scores.agreement import found_among_hardest, rank_correlations


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
    for name, row in zip(names, rank_correlations(list(table.values())), strict=True):
        click.echo(f"| {name} | {' | '.join(f'{value:.2f}' for value in row)} |")
    if truth is None:
        return
    planted = read_planted(truth)
    files = trajectory.samples.file_name
    wrong = np.array([bool(planted.get(file)) for file in files])
    outlier = np.array([file in planted and not planted[file] for file in files])
    click.echo(
        f"\nAmong the hardest {share:.0%} of {len(files)} samples ({round(share * len(files))}); planted are "
        f"{wrong.sum()} wrong labels and {outlier.sum()} outliers, expected by chance {share * wrong.sum():.0f} and "
        f"{share * outlier.sum():.0f}\n"
    )
    click.echo("| method | wrong labels | outliers |\n|---|---|---|")
    for name, score in table.items():
        click.echo(
            f"| {name} | {found_among_hardest(score, wrong, share):.0f} | "
            f"{found_among_hardest(score, outlier, share):.0f} |"
        )


if __name__ == "__main__":
    main()
