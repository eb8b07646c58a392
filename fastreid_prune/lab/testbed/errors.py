"""Which errors to plant where: a pure function of arrays."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.lab.testbed.groups import merge_identities, move_tracklets, split_identities
from fastreid_prune.lab.testbed.patterns import MERGE, PATTERNED, SPLIT, TRACKLET, UNIFORM

KINDS = ("outlier_foreign", "outlier_two_people", "outlier_occlusion", "outlier_background")
SHARES = (0.35, 0.3, 0.2, 0.15)
WRONG_LABEL, WRONG_TRACKLET, SPLIT_OFF, MERGED = ("wrong_label", "wrong_tracklet", "split", "merged")


@dataclass(frozen=True)
class Errors:
    """Planned errors.

    Attributes:
        wrong: [W] int64, the samples that get another label, ascending.
        new_label: [W] int64, the labels that they get.
        wrong_kinds: [W] str, ``wrong_label`` (a single one), ``wrong_tracklet``, ``split`` (its person has two numbers)
            or ``merged`` (its person shares the number of another).
        outliers: [O] int64, the samples that become outliers, ascending.
        kinds: [O] str, of the outliers, out of :data:`KINDS`.
    """

    wrong: np.ndarray
    new_label: np.ndarray
    wrong_kinds: np.ndarray
    outliers: np.ndarray
    kinds: np.ndarray


def plan_errors(
    labels: np.ndarray,
    cameras: np.ndarray,
    shares: Mapping[str, float],
    outliers: float,
    seed: int,
    free: np.ndarray | None = None,
    unused: np.ndarray | None = None,
) -> Errors:
    """Choose samples to mislabel and to spoil, at random.

    The protocols for single images are those of the literature on re-identification with noisy labels (Yu et al.,
    "Robust Person Re-Identification by Modelling Feature Uncertainty", ICCV 2019; Ye and Yuen, "PurifyNet", TIFS
    2020): ``uniform`` noise gives a sample any other identity with equal probability; in ``patterned`` noise all errors
    of an identity go to one other identity. There that is one that looks alike; here a random cycle through the
    identities decides. Groups are those of :mod:`.groups`: merged and split first, then tracklets, then single images.

    Of single images, tracklets and outliers at most half of an identity's samples are changed, so that every identity
    can still be learned. Where that leaves too few, fewer errors are planted than asked for.

    Args:
        labels: [N] int, classes.
        cameras: [N] int.
        shares: pattern -> share of the N samples, or of the identities (see :func:`.parse_patterns`).
        outliers: share of the N samples, 0..1.
        seed: of all chance.
        free: [N] bool, the samples that may be changed; by default all.
        unused: numbers for identities that are split; by default those after the highest label.

    Raises:
        FastreidPruneError: not enough unused numbers.
    """
    labels, cameras = np.asarray(labels, np.int64), np.asarray(cameras)
    free = np.ones(len(labels), bool) if free is None else np.asarray(free, bool)
    named, kind = _by_identity(labels, cameras, shares, seed, unused)
    moved = move_tracklets(named, cameras, free, shares.get(TRACKLET, 0.0), np.random.default_rng([seed, 2]))
    kind[moved != named] = WRONG_TRACKLET
    changed = moved != named
    single, spoilt, kinds = _single(named, moved, free & ~changed, changed, shares, outliers, seed)
    kind[single != moved] = WRONG_LABEL
    # a tracklet or an image may come home by chance: under its person's number it is no error
    wrong = np.flatnonzero(single != labels)
    return Errors(wrong, single[wrong], kind[wrong], spoilt, kinds)


def _by_identity(
    labels: np.ndarray, cameras: np.ndarray, shares: Mapping[str, float], seed: int, unused: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Labels [N] after merging and splitting, and the kind [N] of what was changed."""
    kind = np.full(len(labels), "", object)
    if not (shares.get(MERGE) or shares.get(SPLIT)):
        return labels, kind
    rng = np.random.default_rng([seed, 3])
    classes = np.unique(labels)
    merged = merge_identities(labels, round(len(classes) * shares.get(MERGE, 0.0)), rng)
    kind[merged != labels] = MERGED
    wanted = round(len(classes) * shares.get(SPLIT, 0.0))
    numbers = labels.max() + 1 + np.arange(wanted) if unused is None else np.asarray(unused)
    if len(numbers) < wanted:
        raise FastreidPruneError(
            f"{wanted} identities were to be split, and only {len(numbers)} numbers are free in this layout: plant "
            "fewer, or use part of the data set."
        )
    # two persons under one number are not parted again
    whole = ~np.isin(merged, np.unique(merged[merged != labels]))
    split = merged.copy()
    split[whole] = split_identities(merged[whole], cameras[whole], numbers[:wanted].tolist(), rng)
    kind[split != merged] = SPLIT_OFF
    return split, kind


def _single(
    named: np.ndarray,
    moved: np.ndarray,
    free: np.ndarray,
    changed: np.ndarray,
    shares: Mapping[str, float],
    outliers: float,
    seed: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels [N] with single errors, the outliers and their kinds."""
    count = len(named)
    rng = np.random.default_rng(seed)
    classes, index = np.unique(named, return_inverse=True)
    order = rng.permutation(count)
    order = order[(free | changed)[order]]
    most = np.bincount(index[order], minlength=len(classes)) // 2
    most = np.maximum(most - np.bincount(index[changed], minlength=len(classes)), 0)
    order = order[free[order]]
    order = order[_rank_within(index[order]) < most[index[order]]]
    result = np.array(moved, np.int64)
    start = 0
    for pattern in (UNIFORM, PATTERNED):
        wanted = round(count * shares.get(pattern, 0.0)) if len(classes) > 1 else 0
        rows = np.sort(order[start : start + wanted])
        start += len(rows)
        if not len(rows):
            continue
        if pattern == UNIFORM:
            step = rng.integers(1, max(len(classes), 2), len(rows))
            new = (index[rows] + step) % len(classes)
        else:
            cycle = rng.permutation(len(classes))
            partner = np.empty(len(classes), dtype=np.int64)
            partner[cycle] = np.roll(cycle, -1)
            new = partner[index[rows]]
        result[rows] = classes[new]
    spoilt = np.sort(order[start : start + round(count * outliers)])
    kinds = np.array(KINDS, dtype=object)[rng.choice(len(KINDS), len(spoilt), p=SHARES)]
    return result, spoilt, kinds


def _rank_within(groups: np.ndarray) -> np.ndarray:
    """For each element, how many of its group came before it: [n] int."""
    order = np.argsort(groups, kind="stable")
    starts = np.r_[0, np.flatnonzero(np.diff(groups[order])) + 1] if len(groups) else np.zeros(0, dtype=int)
    lengths = np.diff(np.r_[starts, len(groups)])
    ranks = np.empty(len(groups), dtype=np.int64)
    ranks[order] = np.arange(len(groups)) - np.repeat(starts, lengths)
    return ranks
