"""Where time and memory go when sets grow: judging, scoring, pruning, lists and page of made-up scored runs.

python benchmarks/scale.py --sizes 40000,160000,640000
python benchmarks/scale.py --sizes 1000000 --folder DIR    # kept, and gone on with after a break

Identities grow with samples. Their sizes have a long tail; each has tracklets of near-copies in several cameras. Some
labels are wrong, some tracklets are moved as a whole, some images show nobody known, and errors are injected on top as
a scoring run does. Features and classifier weights are kept (PRUNE.CAPTURE.FACTORED), so that nothing of samples x
classes is on disk. Each step is a process of its own: its seconds, its seconds of processor time and its peak memory,
the last two beside the linear law from the smallest size, and what the verdicts are worth by the truth. The step
"by_lists" judges as very large runs are judged, whatever the size, to be held against "judge".
"""

import contextlib
import json
import math
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import torch
from recorder import GIB, peak_memory

from fastreid_prune.datasets.truth import TruthRow, write_truth
from fastreid_prune.io.files import written_whole
from fastreid_prune.purify.injection_plan import plan_calibration
from fastreid_prune.scored_run.injected import COMPOSED_FOLDER, record_of
from fastreid_prune.trajectory import FeatureRecorder, Samples
from fastreid_prune.trajectory.statistics import BatchStatistics, batch_statistics

BLOCK, DRAWN = 4096, 1000
CAMERAS = 6
WRONG, MOVED, OUTLIERS = 0.05, 0.02, 0.02
MAKE = "make"
STEPS = ("score", "judge", "by_lists", "auto", "export", "report")
COMMANDS = {
    "score": ["prune", "{0}/run", "--ratio", "0.3", "-o", "{0}/entropy.csv"],
    "auto": ["prune", "{0}/run", "--ratio", "0.3", "--method", "auto", "-o", "{0}/auto.csv"],
    "export": ["export", "{0}/run", "-o", "{0}/lists"],
    "report": ["report", "{0}/run", "-o", "{0}/report.html"],
}


@click.command(help=__doc__.splitlines()[0])
@click.option(
    "--sizes", default="40000,160000,640000", show_default=True, help="Samples, several with commas."
)
@click.option("--per-identity", default=10, show_default=True, help="Samples an identity, on average.")
@click.option("--size", default=512, show_default=True, help="Of the features.")
@click.option("--epochs", default=2, show_default=True)
@click.option("--steps", default=",".join(STEPS), show_default=True)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keeps the runs and what was measured: a step that is done there is not done again.",
)
def main(sizes: str, per_identity: int, size: int, epochs: int, steps: str, folder: Path | None) -> None:
    """Print a line a step and size as soon as it is there."""
    click.echo(
        "| samples | identities | step | s | processor s | of linear | peak GiB | of linear | |\n"
        "|---|---|---|---|---|---|---|---|---|"
    )
    first: dict[str, Measured] = {}
    for samples in (int(part) for part in sizes.split(",")):
        with contextlib.ExitStack() as stack:
            if folder is None:
                root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            else:
                root = folder / str(samples)
            identities = samples // per_identity
            for step in (MAKE, *(step.strip() for step in steps.split(","))):
                found = measured(root, step, samples, identities, size, epochs)
                least = first.setdefault(step, found)
                law = samples / least.samples
                click.echo(
                    f"| {samples} | {identities} | {step} | {found.seconds:.1f} | {found.busy:.1f} | "
                    f"{found.busy / least.busy / law:.2f} | {found.peak / GIB:.2f} | "
                    f"{found.peak / least.peak / law:.2f} | {found.told} |"
                )


class Measured(NamedTuple):
    """Seconds by the wall and of processor time, peak memory in bytes, and what the step said."""

    samples: int
    seconds: float
    busy: float
    peak: int
    told: str


def measured(root: Path, step: str, samples: int, identities: int, size: int, epochs: int) -> Measured:
    """One step in a process of its own; what ``root`` holds of an earlier measurement, if it is there."""
    kept = root / f"{step}.json"
    if kept.is_file():
        return Measured(**json.loads(kept.read_text()))
    if step == MAKE:
        # half a run is made again
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        found = peak_memory(make_run, root, samples, identities, size, epochs)
    elif step in ("judge", "by_lists"):
        found = peak_memory(judge, root, step == "by_lists")
    else:
        found = peak_memory(command, [part.format(root) for part in COMMANDS[step]])
    ((seconds, busy), told), _, peak = found
    done = Measured(samples, seconds, busy, peak, told)
    with written_whole(kept) as part:
        part.write_text(json.dumps(done._asdict()))
    return done


Timed = tuple[tuple[float, float], str]


def command(arguments: list[str]) -> Timed:
    """The seconds of a command, by the wall and of processor time, without what it prints."""
    from fastreid_prune.cli import group

    clock = _Clock()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        group.main(arguments, standalone_mode=False)
    return clock.seconds, ""


def judge(root: Path, by_lists: bool) -> Timed:
    """The seconds of judging, and what the verdicts are worth by the truth."""
    from fastreid_prune.evaluation import inverted_lists
    from fastreid_prune.purify import clip_evidence, identities
    from fastreid_prune.purify.judge_run import judge_run
    from fastreid_prune.scores import top_classes

    if by_lists:
        inverted_lists.EXACT_ROWS = inverted_lists.EXACT_CLASSES = 1000
        top_classes.EXACT_LOGITS = 0
        clip_evidence.EXACT_PAIRS = identities.EXACT_PAIRS = 0
    clock = _Clock()
    judged = judge_run(root / "run", truth=root / "truth.csv")
    seconds, found = clock.seconds, judged.quality
    told = (
        f"average precision {found.wrong_label_ap:.4f} of wrong labels, {found.outlier_ap:.4f} of outliers; "
        f"precision {found.precision:.4f}, recall {found.recall:.4f}"
    )
    return seconds, " ".join([told, *judged.ruling.thresholds["approximations"]])


class _Clock:
    def __init__(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    @property
    def seconds(self) -> tuple[float, float]:
        """Since it was made, by the wall and of processor time."""
        return time.perf_counter() - self._began[0], time.process_time() - self._began[1]


def make_run(root: Path, samples: int, identities: int, size: int, epochs: int) -> Timed:
    """Write the scored run ``root/run`` and ``root/truth.csv``; the seconds."""
    clock = _Clock()
    rng = np.random.default_rng(0)
    shown, camera, clip = _tracklets(rng, samples, identities)
    given, kind = _labels(rng, shown, clip, identities)
    files = [f"{row:08d}.jpg" for row in range(samples)]
    pids = np.array([f"p_{number}" for number in range(identities)], object)
    plan = plan_calibration(pids[given], np.array([f"c_{one}" for one in camera], object))
    moved = plan.trained_as
    number = {pid: index for index, pid in enumerate(pids)}
    trained = given.copy()
    trained[list(moved)] = [number[pid] for pid in moved.values()]
    composed = {
        f"{COMPOSED_FOLDER}/{one.kind}_{index:05}.png": one for index, one in enumerate(plan.composed)
    }
    record = record_of(
        files,
        {row: str(pids[given[row]]) for row in moved},
        {name: one.kind for name, one in composed.items()},
        [clip.rows for clip in plan.clips],
    )
    write_truth(
        root / "truth.csv",
        (
            TruthRow(
                files[row],
                -1 if kind[row] == "outlier_foreign" else int(shown[row]),
                kind[row],
                int(given[row]),
            )
            for row in range(samples)
        ),
    )
    named = Samples.from_items(
        [*files, *composed],
        [*pids[trained], *(one.pid for one in composed.values())],
        [*(f"c_{one}" for one in camera), *("c_0" for _ in composed)],
    )
    content = _Content(rng, size, identities, shown, camera, clip, kind == "outlier_foreign", len(composed))
    recorder = FeatureRecorder(
        len(named), len(named.class_names), root / "run" / "prune" / "trajectory", samples=named
    )
    order = np.array([int(name.split("_")[1]) for name in named.class_names])
    weight = torch.from_numpy(content.centres[order])
    # an identity may have lost all of its images to wrong labels
    column = np.full(identities, -1)
    column[order] = np.arange(len(order))
    for epoch in range(epochs):
        # sharp enough that a known face gets most of the probability in the end, however many classes there are
        scaled = weight * (1.5 * math.log(identities) * (epoch + 1) / epochs)
        recorder.begin_epoch(scaled)
        for rows, features in content.blocks(epoch):
            some, label = torch.from_numpy(features), torch.from_numpy(named.label[rows])
            shown_as = torch.from_numpy(np.append(column[shown], np.full(len(composed), -1))[rows])
            seen = _statistics(some, label, shown_as, scaled)
            recorder.update(torch.from_numpy(rows), some, label, statistics=seen)
        recorder.end_epoch()
    recorder.save({"dataset": ["made up"], "mode": "eval", "seed": 0, "calibration": record})
    return clock.seconds, ""


def _statistics(
    features: torch.Tensor, label: torch.Tensor, shown: torch.Tensor, weight: torch.Tensor
) -> BatchStatistics:
    """As a loop with a sampled softmax records: the given class, the one that is shown, and DRAWN others."""
    drawn = torch.from_numpy(np.random.default_rng(4).permutation(len(weight))[:DRAWN])
    given = (features * weight[label]).sum(1, keepdim=True)
    other = (features * weight[shown.clamp(min=0)]).sum(1, keepdim=True)
    other[(shown < 0) | (shown == label)] = -1e4
    far = (features @ weight[drawn].T).masked_fill_(drawn == label[:, None], -1e4)
    found = batch_statistics(torch.cat([given, other, far], 1), torch.zeros_like(label))
    names = torch.cat([label[:, None], shown[:, None], drawn.expand(len(label), -1)], 1)
    return found._replace(predicted=names.gather(1, found.predicted[:, None]).squeeze(1))


class _Content:
    """The features of every row: who is shown, where, in which tracklet, and noise; made block by block."""

    def __init__(
        self,
        rng: np.random.Generator,
        size: int,
        identities: int,
        shown: np.ndarray,
        camera: np.ndarray,
        clip: np.ndarray,
        foreign: np.ndarray,
        composed: int,
    ):
        self.centres = _directions(rng, identities, size)
        # look-alikes: every fifth identity is near the one before it
        self.centres[5::5] = 0.75 * self.centres[4:-1:5] + 0.66 * self.centres[5::5]
        self._cameras = 0.5 * _directions(rng, CAMERAS, size)
        self._shown, self._camera, self._clip, self._foreign, self._composed = (
            shown,
            camera,
            clip,
            foreign,
            composed,
        )
        self._size = size

    def blocks(self, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Rows and their features [n, size] float32."""
        count = len(self._shown)
        for start in range(0, count + self._composed, BLOCK):
            rows = np.arange(start, min(start + BLOCK, count + self._composed))
            rng = np.random.default_rng([1, start])
            features = _directions(rng, len(rows), self._size)
            own = rows < count
            known = np.zeros(len(rows), bool)
            known[own] = ~self._foreign[rows[own]]
            features[known] = self.centres[self._shown[rows[known]]]
            features[own] += self._cameras[self._camera[rows[own]]]
            # what a tracklet has in common: a part of the noise that its images share
            clips, of = np.unique(self._clip[rows[own]], return_inverse=True)
            if len(clips):
                shared = [_noise(np.random.default_rng([2, int(one)]), self._size) for one in clips]
                features[own] += 1.1 * np.stack(shared)[of]
            features += np.random.default_rng([3, epoch, start]).normal(
                0, 0.7 / math.sqrt(self._size), features.shape
            )
            yield rows, features.astype(np.float32)


def _tracklets(
    rng: np.random.Generator, samples: int, identities: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Who is shown, in which camera, in which tracklet, [samples] each; at least four images an identity."""
    share = rng.lognormal(0, 0.8, identities)
    extra = rng.multinomial(samples - 4 * identities, share / share.sum())
    shown = np.repeat(np.arange(identities), 4 + extra)
    place = np.arange(samples) - np.searchsorted(shown, shown)
    clip = np.cumsum((place % rng.integers(3, 7, identities)[shown]) == 0) - 1
    camera = rng.integers(CAMERAS, size=clip[-1] + 1)[clip]
    return shown, camera, clip


def _labels(
    rng: np.random.Generator, shown: np.ndarray, clip: np.ndarray, identities: int
) -> tuple[np.ndarray, np.ndarray]:
    """The given identity and the kind of every sample."""
    given, kind = shown.copy(), np.full(len(shown), "clean", object)
    chance = rng.random(len(shown))
    kind[chance < OUTLIERS] = "outlier_foreign"
    kind[chance > 1 - WRONG] = "wrong_label"
    moved = (rng.random(clip[-1] + 1) < MOVED)[clip] & (kind == "clean")
    kind[moved] = "wrong_tracklet"
    step = rng.integers(1, identities, len(shown))
    step[moved] = rng.integers(1, identities, clip[-1] + 1)[clip[moved]]
    wrong = np.isin(kind, ["wrong_label", "wrong_tracklet"])
    given[wrong] = (shown[wrong] + step[wrong]) % identities
    return given, kind


def _directions(rng: np.random.Generator, count: int, size: int) -> np.ndarray:
    rows = rng.standard_normal((count, size), np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _noise(rng: np.random.Generator, size: int) -> np.ndarray:
    return rng.standard_normal(size, np.float32) / math.sqrt(size)


if __name__ == "__main__":
    main()
