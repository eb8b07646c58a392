"""A plain PyTorch loop on images in one folder a class (or scikit-learn's digits): finding wrong labels, and pruning.

    python benchmarks/any_loop.py labels digits -o OUT --classes 20
    python benchmarks/any_loop.py labels CIFAR/train -o OUT --pattern uniform --wrong 0.1
    python benchmarks/any_loop.py prune CIFAR/train CIFAR/test -o OUT

``labels`` prints the average precision for the wrong labels of the judge, AUM and cleanlab (in and out of sample), and
what the verdicts at 95 % are worth; ``prune`` the accuracy after pruning, for as many images as the whole set's epochs.
"""

import time
from pathlib import Path

import click
import numpy as np
import torch
from cleanlab.rank import get_label_quality_scores
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold

from fastreid_prune import LogitRecorder, ScoredRun, inject_label_noise

BATCH, FOLDS, METHODS = 64, 5, ("auto", "entropy", "el2n", "random")


def read_images(folder: str, classes: int) -> tuple[torch.Tensor, np.ndarray]:
    """Inputs [N, C, H, W] float32 and class numbers [N]."""
    if folder == "digits":
        images, labels = load_digits(return_X_y=True)
        images = images.reshape(-1, 1, 8, 8) / 16
        if classes == 20:
            labels = labels + 10 * (np.arange(len(labels)) % 2)
            images = images + (3 / 16) * (labels >= 10)[:, None, None, None]
        return torch.as_tensor(images, dtype=torch.float32), labels
    paths = sorted(path for path in Path(folder).rglob("*") if path.suffix in (".jpg", ".png"))
    names = sorted({path.parent.name for path in paths})
    pixels = np.stack([np.asarray(Image.open(path).convert("RGB")) for path in paths])
    inputs = torch.as_tensor(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
    return inputs, np.array([names.index(path.parent.name) for path in paths])


def network(shape: tuple[int, ...], classes: int) -> tuple[torch.nn.Sequential, torch.nn.Linear]:
    """A body and its classifier: two layers for digits, three convolutions for photographs."""
    if shape[-1] <= 8:
        size = int(np.prod(shape))
        body = torch.nn.Sequential(
            torch.nn.Flatten(), torch.nn.Linear(size, 128), torch.nn.ReLU(), torch.nn.Linear(128, 64), torch.nn.ReLU()
        )  # fmt: skip
        return body, torch.nn.Linear(64, classes)
    layers: list[torch.nn.Module] = []
    for before, after in ((shape[0], 32), (32, 64), (64, 128)):
        layers += [torch.nn.Conv2d(before, after, 3, 2, 1), torch.nn.BatchNorm2d(after), torch.nn.ReLU()]
    layers += [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()]
    return torch.nn.Sequential(*layers), torch.nn.Linear(128, classes)


def train(inputs, labels, classes, steps, seed, recorder=None) -> torch.nn.Sequential:
    """Train for ``steps`` batches, mirrored at random where they are photographs; record where asked to."""
    torch.manual_seed(seed)
    body, head = network(tuple(inputs.shape[1:]), classes)
    model, labels = torch.nn.Sequential(body, head), torch.as_tensor(labels)
    if recorder is not None:
        recorder.watch(head)
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, steps)
    done = 0
    while done < steps:
        for index in torch.randperm(len(labels)).split(BATCH)[: steps - done]:
            batch = inputs[index]
            if batch.shape[-1] > 8 and torch.rand(()) < 0.5:
                batch = batch.flip(-1)
            logits = model(batch)
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(logits, labels[index]).backward()
            optimizer.step()
            schedule.step()
            done += 1
            if recorder is not None:
                recorder.update(index, logits, labels[index])
        if recorder is not None:
            recorder.end_epoch()
    return model.eval()


@torch.no_grad()
def predict(model, inputs) -> np.ndarray:
    """[N, C] probabilities."""
    return torch.cat([model(part).softmax(1) for part in inputs.split(512)]).double().numpy()


def spoil(labels, classes, pattern, share, seed) -> np.ndarray:
    """Labels with wrong ones: of a random other class, or of the next one."""
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(labels), round(share * len(labels)), replace=False)
    shift = 1 if pattern == "patterned" else rng.integers(1, classes, len(rows))
    noisy = labels.copy()
    noisy[rows] = (noisy[rows] + shift) % classes
    return noisy


def score(inputs, labels, classes, epochs, seed, folder) -> ScoredRun:
    """A scoring run with injected label noise."""
    injected = inject_label_noise(labels, seed=seed)
    recorder = LogitRecorder(len(labels), classes)
    train(inputs, injected.labels, classes, epochs * -(-len(labels) // BATCH), seed, recorder)
    return ScoredRun.from_recorder(recorder, labels, folder, injected=injected)


@click.group(help=__doc__)
def main() -> None:
    """Two questions, two commands."""


@main.command()
@click.argument("data")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@click.option("--pattern", type=click.Choice(["uniform", "patterned"]), default="uniform")
@click.option("--wrong", default=0.1)
@click.option("--classes", default=10)
@click.option("--epochs", default=12)
@click.option("--seed", default=0)
def labels(data, output, pattern, wrong, classes, epochs, seed) -> None:
    """Average precision for wrong labels, and what the verdicts are worth."""
    inputs, true = read_images(data, classes)
    given = spoil(true, classes, pattern, wrong, seed)
    is_wrong = given != true
    started = time.perf_counter()
    run = score(inputs, given, classes, epochs, seed, output / f"{pattern}-{wrong}-{seed}")
    judged = run.judge()
    ours = time.perf_counter() - started
    soft = torch.as_tensor(np.array(run.trajectory.mean_logits)).softmax(1).double().numpy()
    started, held_out = time.perf_counter(), np.zeros_like(soft)
    for kept, rest in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(given, given):
        model = train(inputs[kept], given[kept], classes, epochs * -(-len(kept) // BATCH), seed)
        held_out[rest] = predict(model, inputs[rest])
    folds = time.perf_counter() - started
    suspicion = {
        "judge": np.nan_to_num(judged.ruling.wrong),
        "AUM": run.scores["aum"],
        "cleanlab, in sample": 1 - get_label_quality_scores(given, soft),
        f"cleanlab, {FOLDS} folds": 1 - get_label_quality_scores(given, held_out),
    }
    accuracy = float((soft.argmax(1) == true).mean())
    click.echo(f"{data}, {len(true)} of {classes} classes, {100 * wrong:g} % {pattern}, seed {seed}; soft labels "
               f"right: {accuracy:.3f}; {ours:.0f} s, folds {folds:.0f} s")  # fmt: skip
    for name, values in suspicion.items() if is_wrong.any() else ():
        click.echo(f"  average precision, {name}: {average_precision_score(is_wrong, values):.3f}")
    kept = run.prune(0.0, purify=run.table.judged).subset(list(zip(inputs, given, strict=True)))
    changed = given[kept.indices] != kept.targets
    gone = np.setdiff1d(np.arange(len(true)), kept.indices)
    right = int((kept.targets == true[kept.indices])[changed].sum())
    altered = int((changed & ~is_wrong[kept.indices]).sum() + (~is_wrong[gone]).sum())
    click.echo(f"  verdicts at 95 %: {changed.sum()} relabelled, {right} rightly; {len(gone)} left out, of these "
               f"{is_wrong[gone].sum()} wrong; of {is_wrong.sum()} wrong labels; clean altered {altered} "
               f"({100 * altered / max((~is_wrong).sum(), 1):.2f} %)")  # fmt: skip
    for sentence in judged.sentences:
        click.echo(f"  > {sentence}")


@main.command()
@click.argument("data")
@click.argument("test")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@click.option("--ratio", default=0.3)
@click.option("--epochs", default=10)
@click.option("--seed", "seeds", multiple=True, type=int, default=(0, 1))
@click.option("--wrong", default=0.0)
def prune(data, test, output, ratio, epochs, seeds, wrong) -> None:
    """Test accuracy after pruning, for as many batches as the whole set's epochs are."""
    inputs, given = read_images(data, 10)
    test_inputs, test_labels = read_images(test, 10)
    given = spoil(given, 10, "uniform", wrong, 0)
    steps = epochs * -(-len(given) // BATCH)
    found: dict[str, list[float]] = {}
    for seed in seeds:
        run = score(inputs, given, 10, 12, seed, output / f"prune-{seed}")
        for method in ("whole", *METHODS):
            rows, targets = np.arange(len(given)), given
            if method != "whole":
                kept = run.prune(ratio, method, seed=seed).subset(list(zip(inputs, given, strict=True)))
                rows, targets = kept.indices, kept.targets
            model = train(inputs[rows], targets, 10, steps, seed)
            accuracy = float((predict(model, test_inputs).argmax(1) == test_labels).mean())
            found.setdefault(method, []).append(100 * accuracy)
            click.echo(f"  seed {seed}, {method}: {len(rows)} images, {100 * accuracy:.1f} %")
    for method, values in found.items():
        click.echo(
            f"{method}: {np.mean(values):.1f} ± {np.std(values, ddof=1) if len(values) > 1 else 0:.1f} %"
        )


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
