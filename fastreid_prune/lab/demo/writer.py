"""Writing the embedded data set to a folder, whole or not at all."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from rich.progress import track

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.lab.demo.cameras import CAMERAS
from fastreid_prune.lab.demo.plan import FOLDERS, MAX_IDS, ROOT, PlannedImage, plan_images, truth_rows
from fastreid_prune.lab.demo.shots import render
from fastreid_prune.lab.testbed.folder import TRUTH, claim, write_test_bed

_AT_ONCE = 32  # images a process draws before it says so


@dataclass(frozen=True)
class Summary:
    """What was written.

    Attributes:
        folder: the data sets' root folder (for fastreid: ``FASTREID_DATASETS``).
        truth: path of ``truth.csv``.
        images: images a split (train, query, gallery).
        identities: identities a split; the gallery's distractors do not count.
        kinds: training images a kind.
    """

    folder: Path
    truth: Path
    images: dict[str, int]
    identities: dict[str, int]
    kinds: dict[str, int]


def write_demo(
    folder: str | os.PathLike,
    seed: int = 0,
    train_ids: int = 120,
    test_ids: int = 40,
    wrong_labels: float = 0.05,
    outliers: float = 0.03,
    progress: bool = False,
    processes: int = 1,
) -> Summary:
    """Render people-like figures as a data set in Market-1501's layout, with its ``truth.csv``.

    The same arguments give the same images; their bytes are the same under the same versions of
    Pillow and numpy. An earlier demo in ``folder`` is replaced when the new one is complete.

    Args:
        folder: made if need be; else empty or an earlier demo.
        seed: of all chance.
        train_ids: training identities, 2 or more.
        test_ids: others for query and gallery, 1 or more; 1501 at most in all.
        wrong_labels: share of the training images with a wrong label, 0 to 0.5.
        outliers: share of the training images that are outliers, 0 to 0.3.
        progress: show a progress bar.
        processes: how many draw; more than one needs a main module that can be imported.

    Raises:
        FastreidPruneError: the folder holds something else, an argument is out of range, or writing fails.
    """
    _check(train_ids, test_ids, wrong_labels, outliers)
    folder = Path(folder)
    claim(folder, ROOT)
    images = plan_images(seed, train_ids, test_ids, wrong_labels, outliers)

    def fill(unfinished: Path) -> None:
        for name in FOLDERS.values():
            (unfinished / ROOT / name).mkdir()
        parts = [images[start : start + _AT_ONCE] for start in range(0, len(images), _AT_ONCE)]
        draw = partial(_draw, folder=unfinished)
        with _map(processes) as in_parts:
            for _ in track(in_parts(draw, parts), "Rendering", len(parts), disable=not progress):
                pass

    summary = _summary(folder, images)
    made = {"made_by": "demo", "seed": seed, "train_ids": train_ids, "test_ids": test_ids}
    made |= {
        "wrong_labels": wrong_labels,
        "outliers": outliers,
        "images": summary.images,
        "kinds": summary.kinds,
    }
    write_test_bed(folder, ROOT, fill, truth_rows(images), made)
    return summary


def _draw(images: list[PlannedImage], folder: Path) -> None:
    for image in images:
        render(image.shot).save(folder / image.file, quality=CAMERAS[image.shot.camera].quality)


@contextmanager
def _map(processes: int) -> Iterator[Callable[..., Iterable[None]]]:
    """``map``, by several processes where more than one is asked for."""
    if processes < 2:
        yield map
        return
    # spawned, not forked: whoever calls may have threads of torch's
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        yield pool.map


def _check(train_ids: int, test_ids: int, wrong_labels: float, outliers: float) -> None:
    if train_ids < 2 or test_ids < 1 or train_ids + test_ids > MAX_IDS:
        raise FastreidPruneError(
            f"{train_ids} training and {test_ids} test identities were asked for: at least 2 and 1 "
            f"are needed, and {MAX_IDS} in all is the most that Market-1501's layout has numbers for."
        )
    for name, share, most in (("wrong labels", wrong_labels, 0.5), ("outliers", outliers, 0.3)):
        if not 0 <= share <= most:
            raise FastreidPruneError(
                f"A share of {share} {name} was asked for: give one between 0 and {most}."
            )


def _summary(folder: Path, images: list[PlannedImage]) -> Summary:
    return Summary(
        folder=folder,
        truth=folder / TRUTH,
        images=dict(Counter(image.split for image in images)),
        identities={
            split: len({image.given_id for image in images if image.split == split and image.given_id > 0})
            for split in FOLDERS
        },
        kinds=dict(sorted(Counter(image.kind for image in images if image.split == "train").items())),
    )
