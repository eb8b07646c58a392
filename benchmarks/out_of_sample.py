"""cleanlab as it is meant: on probabilities of images that the model did not train on, beside the judge on one run.

python benchmarks/out_of_sample.py RUN --config configs/Demo/retrain.yml [OPTIONS]

RUN is one that ``benchmarks/purification.py score`` made. Each of five trainings leaves out a fifth of every
identity's images and gives their probabilities afterwards; trainings that are complete are not made again.
"""

import json
import os
from pathlib import Path

import click
import numpy as np
from purification import train
from purification_cases import Case
from sklearn.model_selection import StratifiedKFold

from fastreid_prune.purify.general import General
from fastreid_prune.scored_run.injected import given_samples
from fastreid_prune.scored_run.verdicts import CLEAN, OUTLIER, Verdicts
from fastreid_prune.trajectory import Samples

COLUMNS = ("AP wrong labels", "AP outliers", "precision", "recall", "relabelled rightly", "clean altered")


@click.command(help=__doc__.splitlines()[0], context_settings={"ignore_unknown_options": True})
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("options", nargs=-1)
@click.option("--config", default="configs/Demo/retrain.yml", show_default=True)
@click.option("--folds", default=5, show_default=True)
@click.option("--weights", type=click.Path(exists=True, path_type=Path), help="Of the judge.")
def main(run: Path, options: tuple[str, ...], config: str, folds: int, weights: Path | None) -> None:
    """Train ``folds`` times, and print both sides' figures and what they cost."""
    case = Case(run)
    samples = given_samples(case.trajectory)
    identities = np.array(sorted(set(samples.pid)), object)
    logits = np.full((len(samples), len(identities)), -np.inf, np.float32)
    seconds, fold = 0.0, StratifiedKFold(folds, shuffle=True, random_state=0)
    for number, (kept, held_out) in enumerate(fold.split(samples.label, samples.label)):
        output = run.with_name(f"{run.name}-fold-{number}")
        _train_without(case, samples, held_out, output, config, list(options))
        record = json.loads((output / "prune" / "run.json").read_text(encoding="utf-8"))
        seconds += record["cpu_seconds"]
        known = sorted(set(samples.pid[kept]))
        columns = np.searchsorted(identities, known)
        logits[np.ix_(held_out, columns)] = _logits(output, case.data, samples, held_out)
    scored = json.loads((run / "prune" / "run.json").read_text(encoding="utf-8"))["cpu_seconds"]
    figures = case.compare(None if weights is None else General.read(weights))
    figures = {name: figures[name] for name in ("ours", "cleanlab, in-sample")}
    own = case.among_own
    given = np.searchsorted(identities, samples.pid)
    figures[f"cleanlab, {folds} folds"] = case.cleanlab(logits[own], given[own], identities)
    click.echo(f"| | {' | '.join(COLUMNS)} | training, CPU s |\n|{'---|' * (len(COLUMNS) + 2)}")
    for name, row in figures.items():
        cost = seconds if "folds" in name else scored
        click.echo(f"| {name} | {' | '.join(f'{row[column]:.3f}' for column in COLUMNS)} | {cost:.0f} |")


def _train_without(
    case: Case, samples: Samples, held_out: np.ndarray, output: Path, config: str, options: list[str]
) -> None:
    if (output / "model_final.pth").is_file():
        return
    verdict = np.full(len(samples), CLEAN, object)
    verdict[held_out] = OUTLIER
    blank = np.full(len(samples), "", object)
    manifest = output.with_name(f"{output.name}.csv")
    case.write_manifest(Verdicts(verdict, blank, blank, np.ones(len(samples)), blank), manifest)
    train(config, output, case.data, ["PRUNE.MANIFEST", str(manifest), *options])


def _logits(output: Path, data: Path, samples: Samples, rows: np.ndarray) -> np.ndarray:
    """[n, C] of these samples, by the trained model, classes in the string order of the identities it knows."""
    from fastreid.config import get_cfg
    from fastreid.data import build_reid_test_loader
    from fastreid.data.common import CommDataset
    from fastreid.data.transforms import build_transforms
    from fastreid.modeling import build_model
    from fastreid.utils.checkpoint import Checkpointer

    from fastreid_prune.plugin.heads import clean_logits, find_head
    from fastreid_prune.plugin.indexed import IndexedDataset

    os.environ["FASTREID_DATASETS"] = str(data)
    cfg = get_cfg()
    cfg.merge_from_file(str(output / "config.yaml"))
    cfg.MODEL.BACKBONE.PRETRAIN = False
    model = build_model(cfg)
    Checkpointer(model).load(str(output / "model_final.pth"))
    # the label is not asked for in evaluation, but has to be a class
    items = [(str(data / samples.file_name[row]), 0, 0) for row in rows]
    dataset = IndexedDataset(CommDataset(items, build_transforms(cfg, is_train=False), relabel=False), [])
    loader, _ = build_reid_test_loader(dataset, test_batch_size=cfg.TEST.IMS_PER_BATCH, num_query=0)
    found: list[np.ndarray] = []
    with clean_logits(model, find_head(model)[1], lambda _, logits, *__: found.append(logits.numpy())) as see:
        for batch in loader:
            see(batch)
    return np.concatenate(found)


if __name__ == "__main__":
    from fastreid_prune.plugin import register

    register()
    main()
