"""A plain PyTorch loop on scikit-learn's handwritten digits, as a reader may have it."""

import numpy as np
import torch
from sklearn.datasets import load_digits

from fastreid_prune import LogitRecorder


def digits(wrong=0.05, seed=0, classes=10):
    """Images [N, 64] float32 in [0, 1], labels [N] and true classes [N]; with 20 classes every second is another."""
    rng = np.random.default_rng(seed)
    images, true = load_digits(return_X_y=True)
    if classes == 20:
        true = true + 10 * (np.arange(len(true)) % 2)
        images = images + 3 * (true >= 10)[:, None]
    labels = true.copy()
    rows = rng.choice(len(true), round(wrong * len(true)), replace=False)
    labels[rows] = (labels[rows] + rng.integers(1, classes, len(rows))) % classes
    return (images / 16).astype(np.float32), labels, true


def train(images, labels, classes=10, epochs=12, seed=0, samples=None):
    """Train a small network on class numbers [N] and record it; its recorder."""
    torch.manual_seed(seed)
    body = torch.nn.Sequential(
        torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 64), torch.nn.ReLU()
    )
    head = torch.nn.Linear(64, classes)
    optimizer = torch.optim.Adam([*body.parameters(), *head.parameters()], 1e-3)
    images, labels = torch.as_tensor(images), torch.as_tensor(labels)
    recorder = LogitRecorder(len(labels), classes, samples=samples)
    recorder.watch(head)
    for _ in range(epochs):
        for index in torch.randperm(len(labels)).split(64):
            logits = head(body(images[index]))
            loss = torch.nn.functional.cross_entropy(logits, labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            recorder.update(index, logits, labels[index])
        recorder.end_epoch()
    return recorder
