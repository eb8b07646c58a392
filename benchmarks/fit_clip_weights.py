"""Fits the weights of clips to scored runs whose truth is known, and measures each piece of evidence.

    python benchmarks/fit_clip_weights.py SET:RUN=TRUTH.csv ...

SET is the data set's name: sets count alike, and so do the runs of one. Printed are the weights from all sets (those
of ``ChoiceWeights``), and, for each run with wrong clips, what weights fitted to the *other* sets are worth on it: the
average precision for wrong clips, how often the right identity comes first for them, the average precision for clips
that are wrong and whose suggested identity is right, and how many of the wrong images are found by it at 95 %
precision. Then the same without the given label's advantage for its share. Clips stand under the labels that they were
trained under; of merged identities the clips of the main person count.
"""

import argparse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from fastreid_prune.datasets.truth import read_truth
from fastreid_prune.purify.clip_evidence import COMPANY, clip_likeness
from fastreid_prune.purify.clips import find_clips
from fastreid_prune.purify.discriminant import unit
from fastreid_prune.purify.features import comparable
from fastreid_prune.purify.kind_quality import TrueIdentities
from fastreid_prune.purify.metrics import average_precision
from fastreid_prune.scored_run.injected import InjectedErrors
from fastreid_prune.trajectory import load_trajectory

PIECES = ("likeness", "share")
COLUMNS = ("AP wrong", "right first", "AP named", "named at 95 %")


@dataclass
class Gathered:
    """The clips of one run, two images or more each.

    Attributes:
        dataset, name: of the run.
        cosine: [K, C].
        share: [K], of the clip in its label's images.
        company: [K], how much more like another clip of its label it is than like any other class.
        label, true: [K], classes.
        size: [K], images.
    """

    dataset: str
    name: str
    cosine: np.ndarray
    share: np.ndarray
    company: np.ndarray
    label: np.ndarray
    true: np.ndarray
    size: np.ndarray

    @property
    def wrong(self) -> np.ndarray:
        """[K] bool."""
        return self.true != self.label

    def log_probability(self, weights: np.ndarray) -> np.ndarray:
        """[K, C] of each class, by weights in the order of PIECES."""
        utility = weights[0] * self.cosine
        utility[np.arange(len(utility)), self.label] += (
            weights[1] * self.share + COMPANY * weights[0] * self.company
        )
        return utility - logsumexp(utility, axis=1, keepdims=True)

    def figures(self, weights: np.ndarray) -> list[float]:
        """As in COLUMNS."""
        chance, place = self.log_probability(weights), np.arange(len(self.label))
        wrong = np.repeat(self.wrong, self.size)
        doubt = np.repeat(-chance[place, self.label], self.size)
        chance[place, self.label] = -np.inf
        best = chance.argmax(1)
        right = (best == self.true) & self.wrong
        named = np.repeat(right, self.size)[
            np.argsort(-np.repeat(chance[place, best], self.size), kind="stable")
        ]
        hits = np.cumsum(named)
        precision = hits / np.arange(1, len(hits) + 1)
        sure = np.flatnonzero(precision >= 0.95)
        return [
            average_precision(wrong, doubt),
            float(right[self.wrong].mean()),
            float((precision * named).sum() / wrong.sum()),
            float(hits[sure[-1]] / wrong.sum()) if len(sure) else 0.0,
        ]


def gather(dataset: str, run: Path, truth: Path) -> Gathered:
    """The clips of a run with who they really show; those of nobody, or of no identity of the set, are left out."""
    trajectory = load_trajectory(run)
    injected, samples = InjectedErrors.of(trajectory), trajectory.samples
    features = comparable(trajectory.features, samples.camid)
    seen = np.isfinite(features).all(1) & (trajectory.epochs.visits.sum(0) > 0)
    rows = np.flatnonzero(injected.dataset_rows & seen)
    shown = {row.file: row.true_id for row in read_truth(truth)}
    person = np.array([shown[name] for name in samples.file_name[rows]])
    names = np.array(samples.class_names, object)
    main = TrueIdentities(names[injected.label[rows]], samples.camid[rows], person).main
    class_of = {main[str(name)]: place for place, name in enumerate(names) if str(name) in main}
    features, label = unit(features[rows]), np.asarray(trajectory.labels)[rows]
    camera = np.unique(samples.camid[rows].astype(str), return_inverse=True)[1]
    clip = find_clips(features, label, camera, samples.file_name[rows].tolist())
    first = np.unique(clip, return_index=True)[1]
    found = clip_likeness(features, label, camera, clip, label[first], num_classes=len(names))
    share, others = found.share(label[first])
    ahead = found.company(label[first], label[first], np.full(len(first), -1))
    true = np.array([class_of.get(one, -1) for one in person[first]])
    size = np.bincount(clip)
    use = (true >= 0) & (size > 1) & (others > 0)
    return Gathered(
        dataset,
        run.name,
        found.cosine[use].astype(float),
        share[use],
        ahead[use],
        label[first][use],
        true[use],
        size[use],
    )


def fit(runs: list[Gathered], without: str = "") -> np.ndarray:
    """The most likely weights; of a piece left out 0."""
    count = Counter(run.dataset for run in runs)
    use = np.array([piece != without for piece in PIECES], float)

    def loss(weights: np.ndarray) -> float:
        parts = (
            run.log_probability(weights * use)[np.arange(len(run.true)), run.true].mean() / count[run.dataset]
            for run in runs
        )
        return -float(sum(parts))

    return minimize(loss, np.array([10.0, 1.0]) * use, method="L-BFGS-B").x * use


def report(runs: list[Gathered], without: str = "") -> None:
    """Figures by weights that were fitted to the other sets."""
    print(f"\n| {'without ' + without if without else 'run'} | {' | '.join(COLUMNS)} |\n|{'---|' * 5}")
    rows = []
    for run in runs:
        if run.wrong.sum() > 20:
            rows.append(run.figures(fit([one for one in runs if one.dataset != run.dataset], without)))
            print(
                f"| {run.dataset}: {run.name} | {' | '.join(f'{value:.3f}' for value in rows[-1])} |",
                flush=True,
            )
    print(f"| mean | {' | '.join(f'{value:.3f}' for value in np.mean(rows, axis=0))} |")


def main() -> None:
    """Gather, fit, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", metavar="SET:RUN=TRUTH")
    runs = []
    for given in parser.parse_args().runs:
        dataset, _, rest = given.partition(":")
        run, _, truth = rest.partition("=")
        runs.append(gather(dataset, Path(run), Path(truth)))
    fitted = ", ".join(f"{piece} {weight:.2f}" for piece, weight in zip(PIECES, fit(runs), strict=True))
    print(f"weights from all: {fitted}")
    for without in ("", "share"):
        report(runs, without)


if __name__ == "__main__":
    main()
