"""A test split where a data set has none."""

from dataclasses import replace

import numpy as np

from fastreid_prune.datasets.table import GALLERY, QUERY, SPLITS, TRAIN, Dataset
from fastreid_prune.errors import FastreidPruneError

RULE = (
    "of the identities with at least 2 images a share is drawn at random; of each the first image of every camera is a "
    "query (without cameras, or with one: the first image), the others are the gallery"
)


def hold_out(data: Dataset, share: float, seed: int = 0) -> Dataset:
    """Take a share of the training identities away, and split them into query and gallery.

    The rule: of the identities with at least 2 images a share is drawn at random; of each, the first image (by name) of
    every camera is a query, the others are the gallery. Where the cameras are not known, or an identity has one alone,
    its first image is the query. An identity whose images are all the first of their camera keeps its first alone as
    query, so that every query has a match.

    Args:
        data: with training images; other splits are left out of what is returned.
        share: of the training identities, in (0, 1).
        seed: of the draw.

    Returns:
        A data set whose training identities and test identities are different.

    Raises:
        FastreidPruneError: a share that is none, or too few identities for one to be drawn and two to stay.
    """
    if not 0 < share < 1:
        raise FastreidPruneError(f"--hold-out: {share} found, a share of the identities in (0, 1) expected.")
    train = data.of_split(TRAIN)
    pids, counts = np.unique(train.pid.astype(str), return_counts=True)
    able = pids[counts > 1]
    wanted = max(1, round(share * len(pids)))
    if len(able) < wanted or len(pids) - wanted < 2:
        raise FastreidPruneError(
            f"--hold-out {share}: {wanted} of {len(pids)} identities would be held out; {len(able)} have two images or "
            "more, and two at least must stay for training. Give a smaller share."
        )
    drawn = set(np.random.default_rng(seed).permutation(able)[:wanted].tolist())
    split = train.split.copy()
    for pid in sorted(drawn):
        rows = np.flatnonzero(train.pid == pid)
        rows = rows[np.argsort(train.file_name[rows].astype(str), kind="stable")]
        cameras = train.camid[rows].astype(str)
        first = rows[np.sort(np.unique(cameras, return_index=True)[1])]
        queries = first if len(first) < len(rows) else first[:1]
        split[rows] = GALLERY
        split[queries] = QUERY
        rows = np.array(
            sorted(range(len(train)), key=lambda row: (SPLITS.index(split[row]), train.file_name[row]))
        )
    dropped = len(data) - len(train)
    notes = [note for note in data.notes if not note.startswith("There are only training images")]
    if dropped:
        notes.append(
            f"{dropped} images of the query and gallery there are not used: a test split was asked for."
        )
    notes.append(f"Held out: {len(drawn)} of {len(pids)} identities (seed {seed}): {RULE}.")
    return replace(replace(train, split=split).take(rows), notes=tuple(notes))
