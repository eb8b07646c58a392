"""The judge: a verdict on every sample, how sure it is, and what that is worth on this data set."""

from dataclasses import asdict, dataclass, replace

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.purify.calibration import CLEAN_CLASS, OUTLIER_CLASS, WRONG_CLASS
from fastreid_prune.purify.evidence import weigh
from fastreid_prune.purify.fitting import MOST_UNSURE, Fitted, fit
from fastreid_prune.purify.general import General, general
from fastreid_prune.purify.near_duplicates import near_duplicates
from fastreid_prune.purify.reasons import class_names, duplicates_elsewhere, reasons
from fastreid_prune.purify.reference_set import ReferenceSet, build_reference_set
from fastreid_prune.scored_run.injected import InjectedErrors
from fastreid_prune.scored_run.verdicts import CLEAN, MISLABELLED, NEAR_DUPLICATE, OUTLIER, UNJUDGED, Verdicts
from fastreid_prune.trajectory import Trajectory

DEFAULT_PRECISION = 0.95
# below even odds there is no verdict, whatever precision is asked for
_LEAST_CONFIDENCE = 0.5
# a model that believes a smaller share of the labels that are right, by estimate, has not learned enough to doubt any
_LEAST_BELIEVED = 0.72


@dataclass(frozen=True)
class Summary:
    """What the verdicts are worth; fractions in [0, 1], None where it was not measured.

    Attributes:
        samples, mislabelled, outliers: counts.
        precision: what was asked for.
        wrong_share, outlier_share: what the data set holds by estimate.
        mislabelled_threshold, outlier_threshold: the least confidence of a verdict.
        mislabelled_precision, outlier_precision: the share of the verdicts that is right by estimate (None: no
            verdict).
        planted_switched, planted_composed: how many errors were planted.
        switched_found, composed_found: the share of them that these thresholds find, each judged by weights
            that were fitted without it.
        name_right: the share of switched samples found whose own identity was suggested.
        believed: the share of the given labels that the model believes at first sight.
        unsure: how unsure the planted errors leave the share of errors, 1 at best; above ``fitting.MOST_UNSURE`` there
            are no verdicts. None where nothing was planted.
        near_duplicates: how many samples judged clean show what another of their identity shows.
        in_doubt: how many more are likelier wrong than right (:attr:`.Verdicts.in_doubt`); 0 where nothing was found.
    """

    samples: int
    mislabelled: int
    outliers: int
    precision: float
    wrong_share: float
    outlier_share: float
    mislabelled_threshold: float
    outlier_threshold: float
    mislabelled_precision: float | None
    outlier_precision: float | None
    planted_switched: int
    planted_composed: int
    switched_found: float | None
    composed_found: float | None
    name_right: float | None
    believed: float
    unsure: float | None = None
    near_duplicates: int = 0
    in_doubt: int = 0

    @property
    def is_weak(self) -> bool:
        """The model believes so few of the labels that it has not learned enough to doubt any: no verdicts."""
        return _is_weak(self.believed, 1 - self.wrong_share - self.outlier_share)

    def to_json(self) -> dict:
        """Plain values."""
        return {
            key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(self).items()
        }


@dataclass(frozen=True)
class Judgement:
    """Verdicts with what they rest on; rows are the data set's own samples, in the trajectory's order.

    Attributes:
        verdicts: N of them.
        wrong_probability: [N] float64, that the label is wrong; NaN where a sample was never seen.
        outlier_probability: [N] float64, that the image shows no single known person.
        summary: what it is worth.
    """

    verdicts: Verdicts
    wrong_probability: np.ndarray
    outlier_probability: np.ndarray
    summary: Summary


def judge(trajectory: Trajectory, *, precision: float = DEFAULT_PRECISION) -> Verdicts:
    """A verdict on each of the data set's own samples; see :func:`assess`."""
    return assess(trajectory, precision=precision).verdicts


def assess(
    trajectory: Trajectory, *, precision: float = DEFAULT_PRECISION, weights: General | None = None
) -> Judgement:
    """Judge every label from all the evidence that one scored run holds.

    Args:
        trajectory: of a scored run, with features. Where errors were planted into the run, the weights of the
            evidence are adapted to them and the thresholds follow; else nothing proves the probabilities, and a
            verdict needs more than the precision asked for by itself.
        precision: the share of the verdicts that should be right, in [0.5, 1).
        weights: of the evidence; those of this package by default.

    Raises:
        FastreidPruneError: no features, too few samples or identities, or a precision out of range.
    """
    _check(trajectory, precision)
    planted = InjectedErrors.of(trajectory)
    reference = build_reference_set(trajectory, planted.label, planted.dataset_rows)
    evidence = weigh(trajectory, reference, planted.label)
    switched = np.flatnonzero(planted.switched)
    as_trained = weigh(trajectory, reference, trajectory.labels[switched], switched)
    moved = np.flatnonzero(planted.moved)
    fair = weigh(trajectory, reference, planted.label[moved], moved, barred=trajectory.labels[moved])
    fitted = fit(evidence, as_trained, fair, planted, reference.label_confidence, weights or general())
    evidence, own = fitted.evidence, planted.dataset_rows
    chance = _Chances.of(fitted.probability, fitted.name_probability)
    judged = own & evidence.seen
    believed = float((reference.label_confidence[judged] > 0.5).mean()) if judged.any() else 0.0
    limits = _limits(chance, judged, precision, fitted.held_out is not None)
    if _is_weak(believed, fitted.share[CLEAN_CLASS]) or (fitted.unsure or 0.0) > MOST_UNSURE:
        limits = _NO_VERDICTS
    is_wrong = judged & (chance.named >= limits.mislabelled) & (chance.named >= chance.outlier)
    is_outlier = judged & ~is_wrong & (chance.unfit >= limits.outlier)

    verdict = np.full(len(own), CLEAN, object)
    verdict[~evidence.seen], verdict[is_wrong], verdict[is_outlier] = UNJUDGED, MISLABELLED, OUTLIER
    names = class_names(trajectory)
    confidence = np.select([is_wrong, is_outlier], [chance.named, chance.unfit], 1 - chance.unfit)
    confidence = np.where(evidence.seen, np.clip(confidence, 0, 1), np.nan)
    suggested = np.where(is_wrong, names[evidence.suggested], "")
    runner_up = np.where(is_wrong, names[evidence.runner_up], "")
    nobodys = chance.outlier >= chance.wrong
    reason = reasons(verdict, evidence, names, fitted.usual, nobodys, _twins(trajectory, reference, names))
    copies = near_duplicates(trajectory, planted.label, own & (verdict == CLEAN))
    for row, partner, similarity in copies:
        verdict[row] = NEAR_DUPLICATE
        reason[row] = f"near-duplicate of {_file(trajectory, partner)} (cosine {similarity:.3f})"
    columns = (verdict, suggested, runner_up, confidence, reason)
    verdicts = Verdicts(*(column[own] for column in columns))
    summary = _summary(
        fitted, planted, precision, limits, chance, is_wrong, is_outlier, believed, len(copies)
    )
    if (is_wrong | is_outlier).any():
        summary = replace(summary, in_doubt=int(verdicts.in_doubt.sum()))
    return Judgement(
        verdicts,
        np.where(evidence.seen, chance.wrong, np.nan)[own],
        np.where(evidence.seen, chance.outlier, np.nan)[own],
        summary,
    )


def _is_weak(believed: float, clean_share: float) -> bool:
    # where more than half seems wrong, the model may as well be
    return believed < _LEAST_BELIEVED * max(clean_share, 0.5)


def _twins(trajectory: Trajectory, reference: ReferenceSet, names: np.ndarray) -> dict[int, str]:
    """Row -> "FILE under IDENTITY" of a near-duplicate that carries another label."""
    if trajectory.samples is None:
        return {}
    of = duplicates_elsewhere(reference)
    return {
        int(row): f"{_file(trajectory, of[row])} under {names[reference.label[of[row]]]}"
        for row in np.flatnonzero(of >= 0)
    }


def _file(trajectory: Trajectory, row: int) -> str:
    """A sample's file without its folders; its row where samples are not named."""
    return str(row) if trajectory.samples is None else trajectory.samples.file_name[row].rsplit("/", 1)[-1]


@dataclass(frozen=True)
class _Chances:
    """Probabilities [n]: ``wrong`` label, ``outlier``, ``unfit`` (either of them), and ``named`` (a wrong label, and
    the suggested identity is the right one)."""

    wrong: np.ndarray
    outlier: np.ndarray
    unfit: np.ndarray
    named: np.ndarray

    @classmethod
    def of(cls, probability: np.ndarray, name: np.ndarray) -> "_Chances":
        wrong, outlier = probability[:, WRONG_CLASS], probability[:, OUTLIER_CLASS]
        return cls(wrong, outlier, 1 - probability[:, CLEAN_CLASS], wrong * name)


@dataclass(frozen=True)
class _Limits:
    """The least confidence of each verdict."""

    mislabelled: float
    outlier: float


# above any probability
_NO_VERDICTS = _Limits(2.0, 2.0)


def _limits(chance: _Chances, judged: np.ndarray, precision: float, proven: bool) -> _Limits:
    """Thresholds: first for relabelling, then for leaving out among those that are not relabelled."""
    mislabelled = _threshold(chance.named[judged], precision, proven)
    rest = judged & ~((chance.named >= mislabelled) & (chance.named >= chance.outlier))
    # beside many sure ones the mean allows unsure ones: none may have more than four times the room for error
    return _Limits(
        mislabelled, max(1 - 4 * (1 - precision), _threshold(chance.unfit[rest], precision, proven))
    )


def _threshold(probability: np.ndarray, precision: float, proven: bool) -> float:
    """The least confidence of a verdict.

    Where the probabilities were proven on planted errors, the mean of those above it is the precision asked
    for. Where not, they are too high on some data, and each one has to leave a fifth of the room for error.
    """
    if not proven:
        return max(1 - (1 - precision) / 5, _LEAST_CONFIDENCE)
    falling = np.sort(probability)[::-1]
    mean = np.cumsum(falling) / np.arange(1, len(falling) + 1)
    enough = np.flatnonzero((mean >= precision) & (falling >= _LEAST_CONFIDENCE))
    return float(falling[enough[-1]]) if len(enough) else 1.0


def _summary(
    fitted: Fitted,
    planted: InjectedErrors,
    precision: float,
    limits: _Limits,
    chance: _Chances,
    is_wrong: np.ndarray,
    is_outlier: np.ndarray,
    believed: float,
    copies: int,
) -> Summary:
    found = composed = name = None
    held_out = fitted.held_out
    # where nothing was found in the data set, a planted error counts as found if it is as sure as asked for
    mislabelled, outlier = (
        precision if limit == 1.0 else limit for limit in (limits.mislabelled, limits.outlier)
    )
    if held_out is not None:
        there = _Chances.of(held_out.switched, held_out.switched_name)
        hit = there.named >= mislabelled
        found = float((hit | (there.unfit >= outlier)).mean())
        name = float(held_out.switched_name_right[hit].mean()) if hit.any() else None
        if len(held_out.composed):
            composed = float((1 - held_out.composed[:, CLEAN_CLASS] >= outlier).mean())
    return Summary(
        samples=int(planted.dataset_rows.sum()),
        mislabelled=int(is_wrong.sum()),
        outliers=int(is_outlier.sum()),
        precision=precision,
        wrong_share=float(fitted.share[WRONG_CLASS]),
        outlier_share=float(fitted.share[OUTLIER_CLASS]),
        mislabelled_threshold=min(limits.mislabelled, 1.0),
        outlier_threshold=min(limits.outlier, 1.0),
        mislabelled_precision=float(chance.named[is_wrong].mean()) if is_wrong.any() else None,
        outlier_precision=float(chance.unfit[is_outlier].mean()) if is_outlier.any() else None,
        planted_switched=int(planted.switched.sum()),
        planted_composed=int(planted.composed.sum()),
        switched_found=found,
        composed_found=composed,
        name_right=name,
        believed=believed,
        unsure=fitted.unsure,
        near_duplicates=copies,
    )


def _check(trajectory: Trajectory, precision: float) -> None:
    if not 0.5 <= precision < 1:
        raise FastreidPruneError(f"precision: {precision} found, a fraction in [0.5, 1) expected.")
    if trajectory.features is None:
        raise FastreidPruneError(
            "judge: the trajectory has no features, and neighbours are half of the evidence. Score again with "
            "PRUNE.CAPTURE, which records them, or use the paper's rule."
        )
    if trajectory.num_classes < 3 or trajectory.num_samples < 50:
        raise FastreidPruneError(
            f"judge: {trajectory.num_samples} samples of {trajectory.num_classes} identities found; at least 50 "
            "samples of 3 identities are needed to tell what is usual."
        )
