"""Weighing the evidence of one run: general weights, adapted to what was planted, and what was injected judged by the
rest of it."""

from dataclasses import dataclass

import numpy as np
from scipy.special import logit

from fastreid_prune.purify.calibration import (
    CLEAN_CLASS,
    NUM_FOLDS,
    OUTLIER_CLASS,
    WRONG_CLASS,
    Scale,
    adapt,
    folds,
    posterior,
    shares,
)
from fastreid_prune.purify.evidence import Evidence
from fastreid_prune.purify.false_alarms import LEAST_INJECTED
from fastreid_prune.purify.general import General
from fastreid_prune.purify.relabel_confidence import RelabelConfidence, fit_relabel_confidence
from fastreid_prune.scored_run.injected import InjectedErrors

MOST_DOUBTED = 0.25
# the shares of the classes at which scores are compared: what a data set truly holds must not move them
_SCORED_AT = np.array([0.9, 0.07, 0.03])


@dataclass(frozen=True)
class Scores:
    """Log odds of doubt of n samples, as if 7 % of all labels were wrong and 3 % of all images outliers.

    Attributes:
        unfit: [n] float64, that the label is wrong or the image an outlier.
        named: [n], that the label is wrong and the suggested identity right.
    """

    unfit: np.ndarray
    named: np.ndarray

    @classmethod
    def of(cls, log_likelihood: np.ndarray, relabel_confidence: np.ndarray) -> "Scores":
        """Of adapted log likelihoods [n, 3] and the chance [n] that the suggested identity is right."""
        parts = log_likelihood + np.log(_SCORED_AT)
        unfit = np.logaddexp(parts[:, WRONG_CLASS], parts[:, OUTLIER_CLASS]) - parts[:, CLEAN_CLASS]
        named = posterior(log_likelihood, _SCORED_AT)[:, WRONG_CLASS] * relabel_confidence
        return cls(unfit, logit(np.clip(named, 1e-12, 1 - 1e-12)))


@dataclass(frozen=True)
class Injected:
    """Injected errors as judged by an adaptation that was fitted without them.

    Attributes:
        switched: of the S samples with a switched label.
        name_right: [S] bool, the identity that the data set gives was suggested.
        pair: [S] int64, a number for the label that each was trained under and the identity suggested.
        composed: of the K synthetic outliers.
    """

    switched: Scores
    name_right: np.ndarray
    composed: Scores
    pair: np.ndarray


@dataclass(frozen=True)
class Fitted:
    """The evidence, weighed.

    Attributes:
        evidence: of all N rows, the switched ones judged under the label that the data set gives.
        probability: [N, 3], of clean, wrong label and outlier, by the mixture.
        relabel_confidence: [N], that the suggested identity is right if the label is wrong.
        scores: of all N rows.
        usual: what is usual in this run, for reasons in words.
        injected: None where nothing was injected.
    """

    evidence: Evidence
    probability: np.ndarray
    relabel_confidence: np.ndarray
    scores: Scores
    usual: Scale
    injected: Injected | None

    @property
    def pair(self) -> np.ndarray:
        """[N] int64, a number for each row's label and suggested identity."""
        return _pair(self.evidence)


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
        planted: what was injected.
        label_confidence: [N] float64, how far each given label is believed before anything is weighed.
        general: the weights to start from.
    """
    switched = np.flatnonzero(planted.switched)
    natural = planted.dataset_rows & ~planted.moved & evidence.seen
    usual = usual_of(evidence, natural, label_confidence)
    dataset = _with_fair(evidence, fair, np.flatnonzero(planted.moved))
    scaled = usual(dataset.columns)
    likelihood, odds = general.log_likelihood(scaled), general.name_odds(scaled)
    if len(switched) < LEAST_INJECTED:
        share, confidence = shares(likelihood[natural]), RelabelConfidence()(odds)
        probability = posterior(likelihood, share)
        return Fitted(dataset, probability, confidence, Scores.of(likelihood, confidence), usual, None)

    trained = usual(as_trained.columns)
    wrong, outliers = general.log_likelihood(trained), likelihood[planted.composed & evidence.seen]
    adapted = adapt(likelihood[natural], wrong, outliers)
    bent = adapted.adaptation(likelihood)
    probability = posterior(bent, adapted.share)
    right = as_trained.suggested == planted.label[switched]
    names = general.name_odds(trained)
    # told without what was believed of the shares beforehand
    clean = probability[natural].mean(0)[CLEAN_CLASS]
    confidence = fit_relabel_confidence(names, right, clean)(odds)
    outlier_names = odds[planted.composed & evidence.seen]
    scores = Scores.of(bent, confidence)
    injected = _judged_apart(
        (likelihood[natural], odds[natural]), (wrong, names), (outliers, outlier_names), right, clean,
        Scores(scores.unfit[natural], scores.named[natural]), _pair(as_trained),
    )  # fmt: skip
    return Fitted(dataset, probability, confidence, scores, usual, injected)


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


Judged = tuple[np.ndarray, np.ndarray]


def _judged_apart(
    own: Judged,
    wrong: Judged,
    outliers: Judged,
    right: np.ndarray,
    clean_share: float,
    scores: Scores,
    pair: np.ndarray,
) -> Injected:
    """Each fifth of the injected errors by what was fitted to the rest of them.

    Args:
        own, wrong, outliers: log likelihoods [n, 3] and log odds of the name [n], of the data set's samples, of
        switched
            samples as trained, and of synthetic outliers.
        right: [S] bool, of ``wrong``: the name is right.
        clean_share: of the data set.
        scores: of ``own``, by what was fitted to all injected errors; a fifth's scores are brought to that scale by
        what the
            data set's samples score on both.
        pair: of ``wrong``, see :class:`Injected`.
    """
    found = [np.zeros((2, len(one[1]))) for one in (wrong, outliers)]
    fold = [folds(len(one[1])) for one in (wrong, outliers)]
    for one in range(NUM_FOLDS):
        rest = [each[0][place != one] for each, place in zip((wrong, outliers), fold, strict=True)]
        bend = adapt(own[0], *rest).adaptation
        relabel = fit_relabel_confidence(wrong[1][fold[0] != one], right[fold[0] != one], clean_share)
        apart = Scores.of(bend(own[0]), relabel(own[1]))
        for into, each, place in zip(found, (wrong, outliers), fold, strict=True):
            inside = place == one
            judged = Scores.of(bend(each[0][inside]), relabel(each[1][inside]))
            into[0, inside] = _on_scale(judged.unfit, apart.unfit, scores.unfit)
            into[1, inside] = _on_scale(judged.named, apart.named, scores.named)
    return Injected(Scores(*found[0]), right, Scores(*found[1]), pair)


def _pair(evidence: Evidence) -> np.ndarray:
    return (evidence.given.astype(np.int64) << 32) + evidence.suggested


def _on_scale(values: np.ndarray, there: np.ndarray, here: np.ndarray) -> np.ndarray:
    """Values [n] of a scale on which the same samples score ``there`` [m], on that on which they score ``here`` [m]."""
    there, here = np.sort(there), np.sort(here)
    beyond = np.maximum(values - there[-1], 0) + np.minimum(values - there[0], 0)
    return np.interp(values, there, here) + beyond
