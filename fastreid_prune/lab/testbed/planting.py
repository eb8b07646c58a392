"""A test bed out of any data set: a copy of it with errors that ``truth.csv`` names."""

import dataclasses
import os
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import track

from fastreid_prune.datasets.truth import CLEAN_KINDS, NO_ID, TruthRow, read_truth
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.lab.testbed.errors import Errors, plan_errors
from fastreid_prune.lab.testbed.folder import TRUTH, claim, write_test_bed
from fastreid_prune.lab.testbed.layouts import LaidImage, Layout, read_source
from fastreid_prune.lab.testbed.patterns import parse_patterns
from fastreid_prune.lab.testbed.spoiling import Spoiler

JPEG_QUALITY = 95


@dataclass(frozen=True)
class InjectedErrors:
    """What was made.

    Attributes:
        folder: the data sets' root folder of the test bed.
        truth: path of ``truth.csv``.
        images: images a split.
        kinds: training images a kind.
    """

    folder: Path
    truth: Path
    images: dict[str, int]
    kinds: dict[str, int]


def plant(
    source: str | os.PathLike,
    target: str | os.PathLike,
    wrong_labels: float = 0.10,
    pattern: str = "uniform",
    outliers: float = 0.03,
    seed: int = 0,
    progress: bool = False,
) -> InjectedErrors:
    """Copy a data set with wrong labels and outliers planted into its training images.

    Unchanged images are hard links where the file system allows it, else copies. Foreign people are taken from
    query and gallery: they belong to no training identity. A ``truth.csv`` in ``source`` (of a demo) is taken into
    account: what it says is wrong stays and is named again, and errors are planted among the rest.

    Args:
        source: a data set in any layout. What is not in Market-1501's, VeRi's or MSMT17's, with numbers for
            identities, becomes a test bed in Market-1501's.
        target: a new or empty folder, or an earlier test bed, which is replaced.
        wrong_labels: share of the training images (of their identities for ``split`` and ``merge``) where ``pattern``
            says none.
        pattern: ``uniform`` (to any other identity), ``patterned`` (each identity errs to one other), ``tracklet`` (all
            of a person in a camera go to another identity), ``split`` (a person under two numbers), ``merge`` (two
            persons under one), or several with a share each: ``uniform:0.05,tracklet:0.05``.
        outliers: share of the training images.
        seed: of all chance.
        progress: show a progress bar.

    Raises:
        FastreidPruneError: no data set there, a share or pattern that is none, or ``target`` holds something else.
    """
    source, target = Path(source), Path(target)
    shares = parse_patterns(pattern, wrong_labels)
    _check(source, target, outliers)
    layout, images = read_source(source)
    known = _known_truth(source, layout, images)
    claim(target, layout.root)
    train = [k for k, image in enumerate(images) if image.split == "train"]
    if not train:
        raise FastreidPruneError(
            f"{source}: holds no training images. Give the folder of a complete data set."
        )
    labels = np.array([images[k].pid for k in train])
    free = np.array([known[k].kind in CLEAN_KINDS for k in train])
    cameras = np.array([images[k].camera for k in train])
    unused = _unused_numbers({image.pid for image in images}, layout.most_pid)
    errors = plan_errors(labels, cameras, shares, outliers, seed, free, unused)
    rows = _truth(layout, images, known, train, errors)
    spoiler = Spoiler(images, seed) if len(errors.outliers) else None
    spoilt = {train[int(k)]: str(kind) for k, kind in zip(errors.outliers, errors.kinds, strict=True)}

    def fill(folder: Path) -> None:
        for k in track(range(len(images)), "Planting", disable=not progress):
            path = folder / rows[k].file
            path.parent.mkdir(parents=True, exist_ok=True)
            if spoiler and k in spoilt:
                spoiler.spoil(k, spoilt[k]).save(path, quality=JPEG_QUALITY)
            else:
                _link(images[k].source, path)
        lists = [(row.file.split("/", 1)[1], row.given_id or 0, row.split) for row in rows]
        layout.write_lists(folder / layout.root, lists)

    made: dict[str, object] = {"made_by": "plant", "layout": layout.name, "wrong_labels": shares}
    kinds = dict(sorted(Counter(row.kind for row in rows if row.split == "train").items()))
    made |= {"outliers": outliers, "seed": seed, "kinds": kinds}
    write_test_bed(target, layout.root, fill, rows, made)
    return InjectedErrors(target, target / TRUTH, dict(Counter(row.split for row in rows)), kinds)


def _check(source: Path, target: Path, outliers: float) -> None:
    if not 0 <= outliers <= 0.3:
        raise FastreidPruneError(f"A share of {outliers} outliers was asked for: give one between 0 and 0.3.")
    if target.resolve() == source.resolve():
        raise FastreidPruneError(f"{target}: is the data set itself. Give another folder to write to.")


def _unused_numbers(used: set[int], most: int | None) -> np.ndarray:
    """Numbers that no person has, those after the highest first; ``most`` is the highest that the layout takes."""
    highest = max(used)
    after = range(highest + 1, (most if most is not None else highest + len(used)) + 1)
    between = (pid for pid in range(highest - 1, 0, -1) if pid not in used)
    return np.array([*after, *between], np.int64)


def _known_truth(source: Path, layout: Layout, images: list[LaidImage]) -> list[TruthRow]:
    """The truth before planting, a row an image: what a ``truth.csv`` says, else that every name is right."""
    given = {row.file: row for row in read_truth(source / TRUTH)} if (source / TRUTH).exists() else {}
    rows = []
    for image in images:
        file = f"{layout.root}/{image.file}"
        kind = "clean" if image.is_person else "distractor"
        name_says = TruthRow(file, image.pid, kind, image.pid, image.camera, image.split)
        row = given.get(file, name_says)
        if isinstance(row.true_id, str):
            raise FastreidPruneError(
                f"{source / TRUTH}: true_id {row.true_id!r} of {file} found, a number expected: in this layout "
                "identities have numbers."
            )
        if not row.kind:
            row = row.given(image.pid)
            kind = "wrong_label" if row.is_mislabelled else "outlier_unknown" if row.is_outlier else kind
            row = dataclasses.replace(row, kind=kind)
        rows.append(dataclasses.replace(row, given_id=image.pid, camera=image.camera, split=image.split))
    return rows


def _truth(
    layout: Layout, images: list[LaidImage], known: list[TruthRow], train: list[int], errors: Errors
) -> list[TruthRow]:
    """The truth after planting, a row an image, with the files' new names."""
    rows = list(known)
    taken = {row.file for row in rows}
    renamed: dict[str, str] = {}
    for sample, pid, kind in zip(errors.wrong, errors.new_label, errors.wrong_kinds, strict=True):
        k = train[sample]
        file = _free_name(f"{layout.root}/{layout.rename(images[k].file, int(pid))}", rows[k].file, taken)
        taken.add(file)
        renamed[rows[k].file] = file
        if rows[k].kind not in CLEAN_KINDS:
            kind = rows[k].kind  # an earlier error, whose identity was merged or split as a whole
        elif rows[k].true_id == pid:
            kind = "clean"
        rows[k] = dataclasses.replace(rows[k], file=file, kind=str(kind), given_id=int(pid))
    for sample, kind in zip(errors.outliers, errors.kinds, strict=True):
        k = train[sample]
        shown = rows[k].true_id if kind == "outlier_occlusion" else NO_ID
        renamed[rows[k].file] = ""
        rows[k] = dataclasses.replace(rows[k], kind=str(kind), true_id=shown, near_copy_of="")
    return [_following(row, renamed) for row in rows]


def _following(row: TruthRow, renamed: dict[str, str]) -> TruthRow:
    """The row with its source under the new name; a near-copy of what has become an outlier is none any more."""
    source = renamed.get(row.near_copy_of, row.near_copy_of)
    kind = "clean" if row.kind == "near_copy" and not source else row.kind
    return dataclasses.replace(row, near_copy_of=source, kind=kind)


def _free_name(wanted: str, present: str, taken: set[str]) -> str:
    """``wanted``, or with a number at its end where another image has that name already."""
    stem, suffix = wanted.rsplit(".", 1)
    name, number = wanted, 0
    while name in taken and name != present:
        number += 1
        name = f"{stem}_{number}.{suffix}"
    return name


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
