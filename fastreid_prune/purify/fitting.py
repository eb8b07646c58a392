"""Weighing the evidence of one run: general weights, adapted to what was planted, and proven on what was held out."""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.purify.calibration import (
    CLEAN_CLASS,
    NO_ADAPTATION,
    Adapted,
    Scale,
    adapt,
    folds,
    posterior,
    shares,
)
from fastreid_prune.purify.evidence import Evidence
from fastreid_prune.purify.general import General
from fastreid_prune.purify.relabel_confidence import RelabelConfidence, fit_relabel_confidence
from fastreid_prune.scored_run.injected import InjectedErrors

# fewer planted errors of a kind prove nothing
LEAST_PLANTED = 20
MOST_DOUBTED = 0.25
# where planted errors leave the share of errors more than twice as unsure as counting would, the evidence does not
# set them apart: what was fitted to them is dropped, and there are no verdicts (ours)
MOST_UNSURE = 2.0


@dataclass(frozen=True)
class HeldOut:
    """InjectedErrors errors as judged by an adaptation that was fitted without them.

    As in a data set that holds at least the share of errors that was planted: in a spotless one no error is likely,
    and how a likely one would be judged is the question.

    Attributes:
        switched: [S, 3] float64, p(clean, wrong label, outlier) of each switched sample.
        switched_name: [S], that the suggested identity is right if the label is wrong.
        switched_name_right: [S] bool, the sample's own identity was suggested.
        composed: [K, 3], as ``switched``, of each composed outlier.
    """

    switched: np.ndarray
    switched_name: np.ndarray
    switched_name_right: np.ndarray
    composed: np.ndarray


@dataclass(frozen=True)
class Fitted:
    """The evidence, weighed.

    Attributes:
        evidence: of all N rows, the switched ones judged under the label that the data set gives.
        probability: [N, 3], of clean, wrong label and outlier.
        share: [3], of them in the data set.
        name_probability: [N], that the suggested identity is right if the label is wrong.
        usual: what is usual in this run, for reasons in words.
        held_out: None where nothing was planted.
        unsure: how unsure what was planted leaves the share of errors, see :class:`.calibration.Adapted`; None where
            nothing was planted.
    """

    evidence: Evidence
    probability: np.ndarray
    share: np.ndarray
    name_probability: np.ndarray
    usual: Scale
    held_out: HeldOut | None
    unsure: float | None


def fit(
    evidence: Evidence,
    as_trained: Evidence,
    fair: Evidence,
    planted: InjectedErrors,
    label_confidence: np.ndarray,
    general: General,
) -> Fitted:
    """Weigh the evidence of a run.

    Args:
        evidence: of all N rows.
        as_trained: of the S switched rows, against the label they were trained under.
        fair: of the rows that were moved, alone or in clips, against the label that the data set gives.
        planted: what was planted.
        label_confidence: [N] float64, how far each given label is believed before anything is weighed.
        general: the weights to start from.
    """
    switched = np.flatnonzero(planted.switched)
    natural = planted.dataset_rows & ~planted.moved & evidence.seen
    usual = usual_of(evidence, natural, label_confidence)
    own_rows = _with_fair(evidence, fair, np.flatnonzero(planted.moved))
    scaled = usual(own_rows.columns)
    likelihood = general.log_likelihood(scaled)
    odds = general.name_odds(scaled)
    if len(switched) < LEAST_PLANTED:
        share = shares(likelihood[natural])
        return Fitted(
            own_rows, posterior(likelihood, share), share, RelabelConfidence()(odds), usual, None, None
        )

    trained = usual(as_trained.columns)
    wrong, outliers = general.log_likelihood(trained), likelihood[planted.composed & evidence.seen]
    own = likelihood[natural]
    adapted = adapt(own, wrong, outliers)
    if adapted.unsure > MOST_UNSURE:
        adapted = Adapted(NO_ADAPTATION, shares(own), adapted.unsure)
    probability = posterior(adapted.adaptation(likelihood), adapted.share)
    right = as_trained.suggested == planted.label[switched]
    planted_share = np.array([0.0, len(wrong), len(outliers)]) / max(len(own), 1)
    names = general.name_odds(trained)
    # told without what was believed of the shares beforehand
    share = probability[natural].mean(0)
    name = fit_relabel_confidence(names, right, share[CLEAN_CLASS])(odds)
    held_out = _held_out(own, wrong, outliers, names, right, share[CLEAN_CLASS], planted_share)
    return Fitted(own_rows, probability, share, name, usual, held_out, adapted.unsure)


def usual_of(evidence: Evidence, natural: np.ndarray, label_confidence: np.ndarray) -> Scale:
    """What is usual of the columns.

    Of the samples whose label is doubted, no more than a quarter of all take part: among very many wrong labels they
    would be usual.

    Args:
        evidence: of N samples.
        natural: [N] bool, samples that nothing was done to.
        label_confidence: [N] float64, see :class:`.reference.ReferenceSet`.
    """
    believed, doubted = (
        np.flatnonzero(natural & (label_confidence > 0.5)),
        np.flatnonzero(natural & (label_confidence <= 0.5)),
    )
    most = round(len(believed) * MOST_DOUBTED / (1 - MOST_DOUBTED))
    if len(doubted) > most > 0:
        doubted = np.random.default_rng(0).choice(doubted, most, replace=False)
    return Scale.of(evidence.columns[np.concatenate([believed, doubted])])


def _with_fair(evidence: Evidence, fair: Evidence, switched: np.ndarray) -> Evidence:
    """The evidence with that of the switched rows against the label that the data set gives."""
    merged = {name: getattr(evidence, name).copy() for name in Evidence.__dataclass_fields__}
    for name in merged:
        merged[name][switched] = getattr(fair, name)
    return Evidence(**merged)


def _held_out(
    own: np.ndarray,
    wrong: np.ndarray,
    outliers: np.ndarray,
    names: np.ndarray,
    right: np.ndarray,
    clean_share: float,
    least_share: np.ndarray,
) -> HeldOut:
    fold, outlier_fold = folds(len(wrong)), folds(len(outliers))
    switched, composed = np.zeros((len(wrong), 3)), np.zeros((len(outliers), 3))
    name = np.zeros(len(wrong))
    for one in range(fold.max() + 1):
        inside, outlier_inside = fold == one, outlier_fold == one
        adapted = adapt(own, wrong[~inside], outliers[~outlier_inside])
        share = np.maximum(adapted.share, least_share)
        share /= share.sum()
        switched[inside] = posterior(adapted.adaptation(wrong[inside]), share)
        composed[outlier_inside] = posterior(adapted.adaptation(outliers[outlier_inside]), share)
        name[inside] = fit_relabel_confidence(names[~inside], right[~inside], clean_share)(names[inside])
    return HeldOut(switched, name, right, composed)
