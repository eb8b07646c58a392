"""Fitting the weights of the evidence to what was planted, and proving them on what they were not fitted to."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.linear_model import LogisticRegression

from fastreid_prune.purify.calibration import (
    CLEAN_CLASS,
    OUTLIER_CLASS,
    WRONG_CLASS,
    Scale,
    Weights,
    fit_weights,
    folds,
    posterior,
    shares,
)
from fastreid_prune.purify.evidence import COLUMNS, Evidence
from fastreid_prune.purify.general import GENERAL_NAME, GENERAL_WEIGHTS
from fastreid_prune.purify.planted import Planted

# fewer planted errors of a kind prove nothing
LEAST_PLANTED = 20
_LATE = COLUMNS.index("late")


@dataclass(frozen=True)
class HeldOut:
    """Planted errors as judged by weights that were fitted without them.

    Attributes:
        switched_confidence: [S] the confidence in "mislabelled" of each switched sample.
        switched_name_right: [S] bool, its own identity was suggested.
        composed_confidence: [K] of "outlier" of each composed outlier.
    """

    switched_confidence: np.ndarray
    switched_name_right: np.ndarray
    composed_confidence: np.ndarray


@dataclass(frozen=True)
class Fitted:
    """The evidence, weighed.

    Attributes:
        evidence: of all N rows, the switched ones judged under the label that the data set gives.
        log_likelihood: [N, 3].
        share: [3], of clean samples, wrong labels and outliers in the data set.
        name_probability: [N], that the suggested identity is right if the label is wrong.
        usual: what is usual in this run, for reasons in words.
        held_out: None where nothing was planted.
    """

    evidence: Evidence
    log_likelihood: np.ndarray
    share: np.ndarray
    name_probability: np.ndarray
    usual: Scale
    held_out: HeldOut | None

    @property
    def calibrated(self) -> bool:
        """Whether planted errors have proven the probabilities."""
        return self.held_out is not None


def fit(
    evidence: Evidence, as_trained: Evidence, fair: Evidence, planted: Planted, label: np.ndarray
) -> Fitted:
    """Weigh the evidence of a run.

    Args:
        evidence: of all N rows.
        as_trained: of the S switched rows, against the label they were trained under.
        fair: of the S switched rows, against the label that the data set gives.
        planted: what was planted.
        label: [N] int64, the classes that the data set gives.
    """
    switched = np.flatnonzero(planted.switched)
    natural = planted.own & ~planted.switched & evidence.seen
    usual = Scale.of(evidence.columns[natural])
    own_rows = _with_fair(evidence, fair, switched, natural)
    scaled_own = np.nan_to_num(usual(own_rows.columns))
    if len(switched) < LEAST_PLANTED:
        likelihood = GENERAL_WEIGHTS.log_likelihood(scaled_own)
        share = shares(likelihood[natural])
        return Fitted(own_rows, likelihood, share, _name(own_rows.gap, *GENERAL_NAME), usual, None)

    trained_columns = evidence.columns.copy()
    trained_columns[switched] = as_trained.columns
    scaled = np.nan_to_num(usual(trained_columns))
    kind = np.full(len(scaled), CLEAN_CLASS)
    kind[planted.switched], kind[planted.composed] = WRONG_CLASS, OUTLIER_CLASS
    usable = evidence.seen
    weights = fit_weights(scaled[usable], kind[usable])
    likelihood = weights.log_likelihood(scaled_own)
    share = shares(likelihood[natural])
    right = as_trained.suggested == label[switched]
    name = _fit_name(as_trained.gap, right, share[WRONG_CLASS])
    held_out = _held_out(scaled, kind, usable, natural, as_trained.gap, right, switched)
    return Fitted(own_rows, likelihood, share, _name(own_rows.gap, *name), usual, held_out)


def _with_fair(evidence: Evidence, fair: Evidence, switched: np.ndarray, natural: np.ndarray) -> Evidence:
    """The evidence with the switched rows' own; their last epochs, spent on another label, as others' were."""
    merged = {name: getattr(evidence, name).copy() for name in Evidence.__dataclass_fields__}
    for name in merged:
        merged[name][switched] = getattr(fair, name)
    columns = merged["columns"]
    others = [i for i in range(len(COLUMNS)) if i != _LATE]
    design = np.c_[columns[:, others], np.ones(len(columns))]
    solution = np.linalg.lstsq(design[natural], columns[natural, _LATE], rcond=None)[0]
    columns[switched, _LATE] = design[switched] @ solution
    return replace(evidence, **merged)


def _held_out(scaled, kind, usable, natural, gap, right, switched) -> HeldOut:
    fold = folds(len(scaled))
    likelihood = np.full((len(scaled), 3), np.nan)
    named = np.full(len(switched), np.nan)
    for one in np.unique(fold):
        rest, there = usable & (fold != one), fold == one
        weights: Weights = fit_weights(scaled[rest], kind[rest])
        likelihood[there] = weights.log_likelihood(scaled[there])
        share = shares(weights.log_likelihood(scaled[natural & rest]))
        inside = fold[switched] == one
        probability = posterior(likelihood[there], share)
        likelihood[there] = np.log(probability)
        named[inside] = _name(gap[inside], *_fit_name(gap[~inside], right[~inside], share[WRONG_CLASS]))
    probability = np.exp(likelihood)
    composed = kind == OUTLIER_CLASS
    return HeldOut(probability[switched, WRONG_CLASS] * named, right, probability[composed, OUTLIER_CLASS])


def _fit_name(gap: np.ndarray, right: np.ndarray, wrong_share: float) -> tuple[float, float, float]:
    """How the gap tells that the suggested identity is right: slope, intercept, ceiling.

    Where the data set's own label was wrong before we switched it, nobody could suggest it: that share of the
    misses is no miss.
    """
    if right.all() or not right.any():
        return 0.0, 4.0 if right.all() else -4.0, 1.0
    model = LogisticRegression(C=1.0).fit(np.log1p(gap)[:, None], right)
    return float(model.coef_[0, 0]), float(model.intercept_[0]), 1 / max(1 - wrong_share, 0.5)


def _name(gap: np.ndarray, slope: float, intercept: float, ceiling: float) -> np.ndarray:
    return np.minimum(ceiling / (1 + np.exp(-(slope * np.log1p(gap) + intercept))), 0.995)
