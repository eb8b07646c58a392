"""What the verdicts claim, what is true, and what is refused, on sets that nothing was fitted to or tuned on.

python benchmarks/proving_ground.py score SOURCES -o RUNS [--only NAME]   # train what is not there yet
python benchmarks/proving_ground.py table RUNS                            # judge all, print the table

SOURCES is a folder of public images (see ``proving_sets.py``). Each training takes up to a minute or two of one core; a
run that is there is not made again.
"""

from pathlib import Path

import click
from proving_runs import Setting, score

SETTINGS = [
    Setting("digits, MLP, tuned on", "digits", wrong=0.1, size=(8, 8), net="mlp", rate=1e-3, tuned_on=True),
    Setting("digits, MLP, clean", "digits", size=(8, 8), net="mlp", rate=1e-3),
    Setting("digits, MLP, 5 %", "digits", wrong=0.05, size=(8, 8), net="mlp", rate=1e-3, seed=1),
    Setting("digits, convolutions, 30 %", "digits", wrong=0.3, size=(16, 16), seed=2),
    Setting("digits, groups, 10 %", "digits", wrong=0.1, grouped=True, size=(16, 16), seed=3),
    Setting("MNIST, clean", "mnist", size=(28, 28), most=2500),
    Setting("MNIST, 10 %", "mnist", wrong=0.1, size=(28, 28), most=2500, seed=1),
    Setting("MNIST, 30 %, two epochs", "mnist", wrong=0.3, size=(28, 28), most=2500, epochs=2, seed=2),
    Setting("CIFAR-10, clean", "cifar10", most=2500),
    Setting("CIFAR-10, 10 %", "cifar10", wrong=0.1, most=2500, seed=1),
    Setting("CIFAR-10, 30 %, plain net", "cifar10", wrong=0.3, most=2500, net="plain", seed=2),
    Setting("CIFAR-10, 10 %, clean pass, 30 epochs", "cifar10", wrong=0.1, most=1800, epochs=30,
            clean_pass=True, seed=3),
    Setting("nyala, clean", "nyala", size=(48, 48)),
    Setting("nyala, 10 %", "nyala", wrong=0.1, size=(48, 48), seed=1),
    Setting("nyala, 10 %, 40 epochs, wide", "nyala-all", wrong=0.1, size=(48, 48), epochs=40, net="wide", seed=2),
    Setting("nyala, 30 %", "nyala-all", wrong=0.3, size=(48, 48), epochs=30, seed=3),
    Setting("lions, 10 %", "lion", wrong=0.1, size=(48, 48), epochs=30, seed=1),
    Setting("Market, small net, clean", "market", size=(48, 24), epochs=15),
    Setting("Market, small net, 10 %, 3 % strangers", "market", wrong=0.1, foreign=0.03, size=(48,
            24), epochs=20, seed=1),
    Setting("Market, small net, 10 % in groups", "market", wrong=0.1, grouped=True, size=(48, 24), epochs=20, seed=2),
    Setting("Market, five images an identity, 10 %", "market", wrong=0.1, per_identity=5, size=(48,
            24), epochs=40, seed=3),
    Setting("Market, 16 x 8 pixels, 10 %", "market", wrong=0.1, blur=16, size=(32, 16), epochs=20, seed=4),
    Setting("Market, one camera, 10 %", "market", wrong=0.1, camera="1", size=(48, 24), epochs=30, seed=5),
    Setting("Market, long tail, 10 %", "market", wrong=0.1, long_tail=True, size=(48, 24), epochs=30, seed=6),
    Setting("Market, three epochs, 30 %", "market", wrong=0.3, size=(48, 24), epochs=3, seed=7),
    Setting("Market, 40 epochs, wide, 5 %", "market", wrong=0.05, foreign=0.03, size=(48, 24),
            epochs=40, net="wide", seed=8),
    Setting("Market, other 50 persons, 10 %", "market-others", wrong=0.1, size=(48, 24), epochs=40, seed=1),
    Setting("characters, 10 %", "characters", wrong=0.1, epochs=40, seed=1),
    Setting("characters, 30 %, clean pass", "characters", wrong=0.3, epochs=40, clean_pass=True, seed=2),
    Setting("characters, clean", "characters", epochs=40, seed=3),
]  # fmt: skip


def folder_of(runs: Path, setting: Setting) -> Path:
    """Where the run of a setting is."""
    return runs / "".join(letter if letter.isalnum() else "-" for letter in setting.name)


@click.group(help=__doc__.splitlines()[0])
def main() -> None:
    """Two steps."""


@main.command("score")
@click.argument("sources", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path))
@click.option("--only", default="", help="Settings whose name has this in it.")
def score_all(sources: Path, output: Path, only: str) -> None:
    """Train and record every setting that is not there yet."""
    for setting in SETTINGS:
        folder = folder_of(output, setting)
        if only in setting.name and not (folder / "setting.json").is_file():
            score(setting, sources, folder)
            click.echo(f"{setting.name}: done", err=True)


if __name__ == "__main__":
    main()
