"""Which errors to plant where: a pure function of arrays."""

from dataclasses import dataclass

import numpy as np

KINDS = ("outlier_foreign", "outlier_two_people", "outlier_occlusion", "outlier_background")
SHARES = (0.35, 0.3, 0.2, 0.15)
PATTERNS = ("uniform", "patterned")


@dataclass(frozen=True)
class Errors:
    """Planned errors.

    Attributes:
        wrong: [W] int64, the samples that get a wrong label, ascending.
        new_label: [W] int64, the labels that they get.
        outliers: [O] int64, the samples that become outliers, ascending.
        kinds: [O] str, of the outliers, out of :data:`KINDS`.
    """

    wrong: np.ndarray
    new_label: np.ndarray
    outliers: np.ndarray
    kinds: np.ndarray


def plan_errors(
    labels: np.ndarray,
    wrong_labels: float,
    pattern: str,
    outliers: float,
    seed: int,
    free: np.ndarray | None = None,
) -> Errors:
    """Choose samples to mislabel and to spoil, uniformly at random, and never the same ones.

    The protocols are those of the literature on re-identification with noisy labels (Yu et al., "Robust Person
    Re-Identification by Modelling Feature Uncertainty", ICCV 2019; Ye and Yuen, "PurifyNet", TIFS 2020): ``uniform``
    noise gives a sample any other identity with equal probability; in ``patterned`` noise all errors of an identity
    go to one other identity. There that is one that looks alike; here a random cycle through the identities decides.

    At most half of an identity's samples are changed, so that every identity can still be learned. Where that
    leaves too few, fewer errors are planted than asked for.

    Args:
        labels: [N] int, classes.
        wrong_labels: share of the N samples, 0..1.
        pattern: one of :data:`PATTERNS`.
        outliers: share of the N samples, 0..1.
        seed: of all chance.
        free: [N] bool, the samples that may be changed; by default all.
    """
    labels = np.asarray(labels)
    count = len(labels)
    rng = np.random.default_rng(seed)
    classes, index = np.unique(labels, return_inverse=True)
    order = rng.permutation(count)
    if free is not None:
        order = order[np.asarray(free)[order]]
    most = np.bincount(index[order], minlength=len(classes)) // 2
    order = order[_rank_within(index[order]) < most[index[order]]]
    wanted_wrong = round(count * wrong_labels) if len(classes) > 1 else 0
    wrong = np.sort(order[:wanted_wrong])
    spoilt = np.sort(order[wanted_wrong : wanted_wrong + round(count * outliers)])
    if pattern == "uniform":
        step = rng.integers(1, max(len(classes), 2), len(wrong))
        new = (index[wrong] + step) % len(classes)
    else:
        cycle = rng.permutation(len(classes))
        partner = np.empty(len(classes), dtype=np.int64)
        partner[cycle] = np.roll(cycle, -1)
        new = partner[index[wrong]]
    kinds = np.array(KINDS, dtype=object)[rng.choice(len(KINDS), len(spoilt), p=SHARES)]
    return Errors(wrong, classes[new].astype(np.int64), spoilt, kinds)


def _rank_within(groups: np.ndarray) -> np.ndarray:
    """For each element, how many of its group came before it: [n] int."""
    order = np.argsort(groups, kind="stable")
    starts = np.r_[0, np.flatnonzero(np.diff(groups[order])) + 1] if len(groups) else np.zeros(0, dtype=int)
    lengths = np.diff(np.r_[starts, len(groups)])
    ranks = np.empty(len(groups), dtype=np.int64)
    ranks[order] = np.arange(len(groups)) - np.repeat(starts, lengths)
    return ranks
