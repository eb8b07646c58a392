"""How good verdicts are, given the truth."""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.scored_run.verdicts import Verdicts


@dataclass(frozen=True)
class Quality:
    """Verdicts against the truth; fractions in [0, 1], NaN where there is nothing to divide by.

    Attributes:
        wrong_label_ap: average precision for wrong labels, by the judge's probability of one (NaN without).
        outlier_ap: likewise for outliers.
        precision: of the samples called mislabelled, how many have a wrong label.
        recall: of the wrong labels, how many are called mislabelled.
        relabel_precision: of the samples called mislabelled, how many show the suggested identity.
        relabelled: of the wrong labels, how many are called mislabelled with the right identity.
        outlier_precision: of the samples called outlier, how many are one, or have a wrong label: they are left
            out, and rightly so.
        outlier_recall: of the outliers, how many are called so.
        errors_mended: of wrong labels and outliers together, how many would be relabelled rightly or left out.
        clean_altered: of the clean samples, how many would be relabelled or left out.
        brier: the mean squared difference between confidence and rightness of the verdicts mislabelled and
            outlier.
        reliability: ten rows (mean confidence, share right, count) of the bins of confidence that are not empty.
        counts: samples by what they truly are.
    """

    wrong_label_ap: float
    outlier_ap: float
    precision: float
    recall: float
    relabel_precision: float
    relabelled: float
    outlier_precision: float
    outlier_recall: float
    errors_mended: float
    clean_altered: float
    brier: float
    reliability: list[tuple[float, float, int]]
    counts: dict[str, int]

    def rows(self) -> list[tuple[str, str]]:
        """What and how much, for a table, in plain words; without what cannot be said."""
        known = {"clean": "right labels", "wrong label": "wrong labels", "outlier": "outliers"}
        percent = {
            "recall": "wrong labels that were found",
            "relabelled": "wrong labels that got the right identity",
            "outlier_recall": "outliers that were found",
            "errors_mended": "errors of both kinds, corrected or left out",
            "clean_altered": "right labels that were changed or left out",
            "precision": "of the labels called wrong, wrong",
            "relabel_precision": "of the labels called wrong, new identity right",
            "outlier_precision": "of the images called outliers, outliers or wrong labels",
        }
        plain = {
            "wrong_label_ap": "order of wrong labels: average precision, 1 is best",
            "outlier_ap": "order of outliers: average precision, 1 is best",
        }
        shares = [(words, getattr(self, name)) for name, words in percent.items()]
        orders = [(words, getattr(self, name)) for name, words in plain.items()]
        return [
            *((words, str(self.counts[kind])) for kind, words in known.items() if kind in self.counts),
            *((words, f"{100 * share:.1f} %") for words, share in shares if not np.isnan(share)),
            *((words, f"{value:.3f}") for words, value in orders if not np.isnan(value)),
        ]


def quality(
    verdicts: Verdicts,
    wrong: np.ndarray,
    outlier: np.ndarray,
    true_pid: np.ndarray,
    wrong_probability: np.ndarray | None = None,
    outlier_probability: np.ndarray | None = None,
) -> Quality:
    """Compare verdicts with the truth.

    Args:
        verdicts: N of them.
        wrong: [N] bool, the label is not that of the person shown.
        outlier: [N] bool, the image shows no single known person.
        true_pid: [N] str, who is shown; anything for outliers.
        wrong_probability: [N] float, by which wrong labels are ranked.
        outlier_probability: [N] float, by which outliers are ranked.
    """
    clean = ~wrong & ~outlier
    flagged, thrown = verdicts.mislabelled, verdicts.outlier
    right_name = flagged & wrong & (verdicts.suggested_pid == true_pid)
    right = np.where(flagged, right_name, ~clean)[flagged | thrown]
    sure = verdicts.confidence[flagged | thrown].astype(float)
    return Quality(
        wrong_label_ap=average_precision(wrong, wrong_probability),
        outlier_ap=average_precision(outlier, outlier_probability),
        precision=_share(flagged & wrong, flagged),
        recall=_share(flagged & wrong, wrong),
        relabel_precision=_share(right_name, flagged),
        relabelled=_share(right_name, wrong),
        outlier_precision=_share(thrown & ~clean, thrown),
        outlier_recall=_share(thrown & outlier, outlier),
        errors_mended=_share(right_name | (thrown & ~clean), ~clean),
        clean_altered=_share((flagged | thrown) & clean, clean),
        brier=float(np.mean((sure - right) ** 2)) if len(sure) else np.nan,
        reliability=reliability(sure, right),
        counts={"clean": int(clean.sum()), "wrong label": int(wrong.sum()), "outlier": int(outlier.sum())},
    )


def average_precision(positive: np.ndarray, score: np.ndarray | None) -> float:
    """Average precision of ``score`` [N] (higher: more likely) for ``positive`` [N] bool; NaN without either.

    Equal scores are counted together, as scikit-learn's ``average_precision_score`` does.
    """
    if score is None or not positive.any():
        return float("nan")
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(positive[order])
    last = np.r_[score[order][1:] != score[order][:-1], True]
    hits, place = hits[last], np.flatnonzero(last) + 1
    return float(np.sum(np.diff(np.r_[0, hits]) * hits / place) / positive.sum())


def area_under_curve(positive: np.ndarray, negative: np.ndarray) -> float:
    """The chance that a score of ``positive`` [n] is above one of ``negative`` [m] (ties count half).

    >>> area_under_curve(np.array([1.0, 3.0]), np.array([0.0, 2.0]))
    0.75
    """
    order = np.sort(negative)
    below = np.searchsorted(order, positive, "left") + np.searchsorted(order, positive, "right")
    return float(below.mean() / 2 / max(len(negative), 1))


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = 10) -> list[tuple[float, float, int]]:
    """(mean confidence, share right, count) of each bin of equal width over [0, 1] that is not empty."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        (float(confidence[place == b].mean()), float(right[place == b].mean()), int((place == b).sum()))
        for b in range(bins)
        if (place == b).any()
    ]


def _share(part: np.ndarray, whole: np.ndarray) -> float:
    return float(part.sum() / whole.sum()) if whole.any() else float("nan")
