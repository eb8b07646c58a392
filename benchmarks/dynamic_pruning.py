"""InfoBatch on a plain PyTorch loop: this package's and its authors', the same network, data and seeds.

    git clone https://github.com/NUS-HPC-AI-Lab/InfoBatch
    python benchmarks/dynamic_pruning.py --authors InfoBatch

prints for each the images processed of those of training on everything, and the accuracy on held-out digits, mean and
standard deviation over seeds. Without --authors: this package's and training on everything.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn.functional import cross_entropy

from fastreid_prune import LogitRecorder
from fastreid_prune.selection.dynamic import infobatch

EPOCHS, BATCH, RATIO, ON_ALL = 40, 32, 0.5, 5


def digits() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Images and labels of the training half, and of the other one, of scikit-learn's digits."""
    pixels, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    images = torch.as_tensor(pixels[order] / 16, dtype=torch.float32)
    targets = torch.as_tensor(labels[order])
    half = len(order) // 2
    return images[:half], targets[:half], images[half:], targets[half:]


def network(seed: int) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    """A small network and its optimizer."""
    torch.manual_seed(seed)
    model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
    return model, torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)


def step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Learn from one batch."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def batches(rows: np.ndarray, random: np.random.Generator) -> Iterator[Tensor]:
    """The rows in a random order, in batches."""
    order = torch.as_tensor(random.permutation(rows))
    yield from order.split(BATCH)


def ours(seed: int, prunes: bool = True) -> tuple[float, float]:
    """Share of the images processed, and accuracy."""
    images, targets, test_images, test_targets = digits()
    model, optimizer = network(seed)
    recorder, random = LogitRecorder(len(images), 10), np.random.default_rng(seed)
    loss, processed = np.full(len(images), np.nan), 0
    for epoch in range(EPOCHS):
        rows, weight = np.arange(len(images)), np.ones(len(images), np.float32)
        if prunes and epoch < EPOCHS - ON_ALL:
            rows, weight = infobatch(loss, RATIO, random)
        weights = torch.from_numpy(weight)
        for batch in batches(rows, random):
            logits = model(images[batch])
            recorder.update(batch, logits, targets[batch])
            step(optimizer, (weights[batch] * cross_entropy(logits, targets[batch], reduction="none")).mean())
            processed += len(batch)
        recorder.end_epoch()
        visits = recorder.log.epochs[-1]
        loss[visits.sample] = visits.loss
    return processed / (EPOCHS * len(images)), accuracy(model, test_images, test_targets)


class OncePerEpoch(torch.utils.data.Sampler):
    """The authors' sampler, asked for its iterator once an epoch: today's BatchSampler asks for every batch, and theirs
    begins anew each time.
    """

    def __init__(self, sampler: Iterable[int]) -> None:
        self.sampler = sampler

    def __iter__(self) -> Iterator[int]:
        yield from self.sampler


def theirs(seed: int) -> tuple[float, float]:
    """As :func:`ours`, with the authors' package."""
    from infobatch import InfoBatch

    images, targets, test_images, test_targets = digits()
    model, optimizer = network(seed)
    data = InfoBatch(
        torch.utils.data.TensorDataset(images, targets), EPOCHS, RATIO, delta=1 - ON_ALL / EPOCHS
    )
    loader = torch.utils.data.DataLoader(data, batch_size=BATCH, sampler=OncePerEpoch(data.sampler))
    np.random.seed(seed)
    processed = 0
    for _ in range(EPOCHS):
        for inputs, labels in loader:
            step(optimizer, data.update(cross_entropy(model(inputs), labels, reduction="none")))
            processed += len(inputs)
    return processed / (EPOCHS * len(images)), accuracy(model, test_images, test_targets)


def accuracy(model: torch.nn.Module, images: Tensor, targets: Tensor) -> float:
    """Percent right."""
    with torch.no_grad():
        return 100 * (model(images).argmax(1) == targets).double().mean().item()


def main() -> None:
    """Train with every seed and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--authors", help="a checkout of the authors' repository")
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    sides = {"everything": lambda seed: ours(seed, prunes=False), "fastreid_prune": ours}
    if options.authors:
        sys.path.append(options.authors)
        sides["authors' package"] = theirs
    for name, train in sides.items():
        share, right = np.array([train(seed) for seed in range(options.seeds)]).T
        spread = right.std(ddof=1)
        print(
            f"{name:17} {100 * share.mean():5.1f} % of the images, accuracy {right.mean():.2f} ± {spread:.2f} %"
        )


if __name__ == "__main__":
    main()
