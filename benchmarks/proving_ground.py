"""What the verdicts claim, what is true, and what is refused, on sets that nothing was fitted to or tuned on.

python benchmarks/proving_ground.py score SOURCES -o RUNS [--only NAME]   # train what is not there yet
python benchmarks/proving_ground.py table RUNS                            # judge all, print the table

SOURCES is a folder of public images (see ``proving_sets.py``). Each training takes up to a minute or two of one core; a
run that is there is not made again.
"""

import json
from pathlib import Path

import click
import numpy as np
from proving_runs import Setting, score

from fastreid_prune import load_trajectory
from fastreid_prune.purify import assess
from fastreid_prune.purify.claims import IN_DOUBT, NAMES, OUTLIERS
from fastreid_prune.scored_run.injected import InjectedErrors

# looked at while the limits and the form of the claims were chosen: never counted
LOOKED_AT = [
    Setting("digits, MLP, 10 %", "digits", wrong=0.1, size=(8, 8), net="mlp", rate=1e-3),
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
    Setting("CIFAR-10, 10 %, clean pass, 30 epochs",
            "cifar10", wrong=0.1, most=1800, epochs=30, clean_pass=True, seed=3),
    Setting("nyala, clean", "nyala", size=(48, 48)),
    Setting("nyala, 10 %", "nyala", wrong=0.1, size=(48, 48), seed=1),
    Setting("nyala, 10 %, 40 epochs, wide",
            "nyala-all", wrong=0.1, size=(48, 48), epochs=40, net="wide", seed=2),
    Setting("lions, 10 %", "lion", wrong=0.1, size=(48, 48), epochs=30, seed=1),
    Setting("Market, small net, clean", "market", size=(48, 24), epochs=15),
    Setting("Market, small net, 10 %, 3 % strangers",
            "market", wrong=0.1, foreign=0.03, size=(48, 24), epochs=20, seed=1),
    Setting("Market, small net, 10 % in groups",
            "market", wrong=0.1, grouped=True, size=(48, 24), epochs=20, seed=2),
    Setting("Market, five images an identity, 10 %",
            "market", wrong=0.1, per_identity=5, size=(48, 24), epochs=40, seed=3),
    Setting("Market, 16 x 8 pixels, 10 %", "market", wrong=0.1, blur=16, size=(32, 16), epochs=20, seed=4),
    Setting("Market, one camera, 10 %", "market", wrong=0.1, camera="1", size=(48, 24), epochs=30, seed=5),
    Setting("Market, long tail, 10 %", "market", wrong=0.1, long_tail=True, size=(48, 24), epochs=30, seed=6),
    Setting("Market, three epochs, 30 %", "market", wrong=0.3, size=(48, 24), epochs=3, seed=7),
    Setting("characters, 10 %", "characters", wrong=0.1, epochs=40, seed=1),
    Setting("characters, 30 %, clean pass", "characters", wrong=0.3, epochs=40, clean_pass=True, seed=2),
    Setting("characters, clean", "characters", epochs=40, seed=3),
]  # fmt: skip
NEVER_LOOKED_AT = [
    Setting("nyala, 30 %", "nyala-all", wrong=0.3, size=(48, 48), epochs=30, seed=3),
    Setting("Market, 40 epochs, wide, 5 %",
            "market", wrong=0.05, foreign=0.03, size=(48, 24), epochs=40, net="wide", seed=8),
    Setting("Market, other 50 persons, 10 %", "market-others", wrong=0.1, size=(48, 24), epochs=40, seed=1),
    Setting("hand signs, clean", "signs", epochs=20, seed=11),
    Setting("hand signs, 10 %", "signs", wrong=0.1, epochs=20, seed=12),
    Setting("hand signs, 30 %, wide", "signs", wrong=0.3, epochs=20, net="wide", seed=13),
    Setting("hand signs, groups, 10 %", "signs", wrong=0.1, grouped=True, epochs=20, seed=14),
    Setting("faces, 10 %", "faces", wrong=0.1, epochs=60, seed=11),
    Setting("characters, groups, 10 %", "characters", wrong=0.1, grouped=True, epochs=40, seed=11),
    Setting("characters, 5 %, wide", "characters", wrong=0.05, epochs=40, net="wide", seed=12),
    Setting("digits, convolutions, 10 %", "digits", wrong=0.1, size=(16, 16), seed=11),
    Setting("digits, convolutions, clean", "digits", size=(16, 16), seed=12),
    Setting("MNIST, 5 %, wide", "mnist", wrong=0.05, size=(28, 28), most=2500, net="wide", seed=11),
    Setting("MNIST, groups, 10 %", "mnist", wrong=0.1, grouped=True, size=(28, 28), most=2500, seed=12),
    Setting("Market, 40 epochs, wide, 10 %",
            "market", wrong=0.1, size=(48, 24), epochs=40, net="wide", seed=11),
    Setting("Market, 40 epochs, 20 %, 3 % strangers",
            "market", wrong=0.2, foreign=0.03, size=(48, 24), epochs=40, seed=12),
    Setting("Market, 30 epochs, clean, 3 % strangers", "market", foreign=0.03, size=(48, 24), epochs=30, seed=13),
]  # fmt: skip
SETTINGS = [*LOOKED_AT, *NEVER_LOOKED_AT]


def folder_of(runs: Path, setting: Setting) -> Path:
    """Where the run of a setting is."""
    return runs / "".join(letter if letter.isalnum() else "-" for letter in setting.name)


KINDS = (NAMES, OUTLIERS, IN_DOUBT)


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


@main.command()
@click.argument("runs", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--anew", is_flag=True, help="Judge again what was judged already.")
def table(runs: Path, anew: bool) -> None:
    """Judge every run, and print what was claimed, what is true, and what was refused."""
    click.echo(
        "| setting | images / ids | wrong | names: claimed, true | left out: claimed, true | in doubt: claimed, true "
        "| errors corrected | right labels altered | refused because |\n|---|---|---|---|---|---|---|---|---|"
    )
    counted = []
    for setting in SETTINGS:
        folder = folder_of(runs, setting)
        if not (folder / "setting.json").is_file():
            continue
        path = folder / "judged.json"
        if anew or not path.is_file():
            path.write_text(json.dumps(judged(folder)), encoding="utf-8")
        result = json.loads(path.read_text(encoding="utf-8"))
        click.echo(_row(setting, result))
        if setting in NEVER_LOOKED_AT:
            counted.append(result)
    claims = [
        one for result in counted for one in result["kinds"].values() if not one["refused"] and one["given"]
    ]
    held = sum(one["low"] <= one["true"] <= one["high"] for one in claims)
    above = sum(one["true"] >= one["low"] for one in claims)
    bad = sum(one["given"] >= 20 and one["true"] < one["low"] - 0.03 for one in claims)
    click.echo(
        f"\nNot counting what was looked at: {len(counted)} settings, {len(claims)} claims. The claimed interval held "
        f"the truth in {held}, the truth was not below it in {above}; {bad} with 20 verdicts or more are more than 3 "
        f"points below it. Of clean sets at most {_most(counted, 0)}, of the others at most {_most(counted, 1)} of the "
        "right labels are altered."
    )


def judged(folder: Path) -> dict:
    """What the judge claims of a run, and what is true."""
    trajectory = load_trajectory(folder)
    truth = np.load(folder / "truth.npz")
    true, given = truth["true"], truth["given"]
    judgement = assess(trajectory)
    verdicts, wrong = judgement.verdicts, true != given
    names = np.array([f"p_{one:04d}" for one in true], object)
    mended = verdicts.mislabelled & (verdicts.suggested_pid == names)
    injected = InjectedErrors.of(trajectory)
    # nothing is claimed of what was injected
    claimed = verdicts.in_doubt & ~injected.moved[injected.dataset_rows]
    rightly = {
        NAMES: (verdicts.mislabelled, mended),
        OUTLIERS: (verdicts.outlier, wrong),
        IN_DOUBT: (claimed, wrong),
    }
    kinds = {}
    for kind, (chosen, right) in rightly.items():
        claim = judgement.summary.claim(kind)
        kinds[kind] = claim.to_json() | {
            "given": int(chosen.sum()),
            "true": float(right[chosen].mean()) if chosen.any() else None,
        }
    gone = verdicts.outlier | verdicts.in_doubt
    altered = (gone | verdicts.mislabelled) & ~wrong
    return {
        "samples": len(true),
        "identities": len(set(given.tolist())),
        "injected": int(injected.switched.sum()),
        "wrong": int(wrong.sum()),
        "kinds": kinds,
        "mended": float(((gone & wrong) | mended).sum() / wrong.sum()) if wrong.any() else None,
        "altered": float(altered.sum() / (~wrong).sum()),
    }


def _row(setting: Setting, result: dict) -> str:
    kinds = [result["kinds"][kind] for kind in KINDS]
    reasons = dict.fromkeys(one["refused"] for one in kinds if one["refused"])
    mended = "–" if result["mended"] is None else f"{100 * result['mended']:.0f} %"
    cells = [
        setting.name + (" (looked at)" if setting in LOOKED_AT else ""),
        f"{result['samples']} / {result['identities']}",
        str(result["wrong"]),
        *(_claimed(one) for one in kinds),
        mended,
        f"{100 * result['altered']:.2f} %",
        "; ".join(reasons),
    ]
    return f"| {' | '.join(cells)} |"


def _claimed(one: dict) -> str:
    if one["refused"]:
        return "refused"
    if not one["given"]:
        return "none"
    interval = f"{100 * one['precision']:.0f} % [{100 * one['low']:.0f}, {100 * one['high']:.0f}]"
    return f"{one['given']}: {interval}, **{100 * one['true']:.1f} %**"


def _most(results: list[dict], noisy: int) -> str:
    altered = [result["altered"] for result in results if bool(result["wrong"]) == bool(noisy)]
    return f"{100 * max(altered, default=0):.2f} %"


if __name__ == "__main__":
    main()
