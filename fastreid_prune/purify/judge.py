"""The judge: a verdict on every sample, how sure it is, and what that is worth on this data set."""

from dataclasses import dataclass, replace

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.work import Work
from fastreid_prune.purify.calibration import CLEAN_CLASS, OUTLIER_CLASS, WRONG_CLASS
from fastreid_prune.purify.claims import Claim
from fastreid_prune.purify.evidence import weigh
from fastreid_prune.purify.fitting import Fitted, Scores, fit
from fastreid_prune.purify.general import General, general
from fastreid_prune.purify.injected_doubt import most_doubted
from fastreid_prune.purify.near_duplicates import near_duplicates
from fastreid_prune.purify.reasons import class_names, duplicates_elsewhere, reasons
from fastreid_prune.purify.reference_set import ReferenceSet, build_reference_set
from fastreid_prune.purify.summary import Summary
from fastreid_prune.purify.verdict_claims import LabelClaims, claim_labels, own_word
from fastreid_prune.scored_run.injected import InjectedErrors
from fastreid_prune.scored_run.verdicts import CLEAN, MISLABELLED, NEAR_DUPLICATE, OUTLIER, UNJUDGED, Verdicts
from fastreid_prune.trajectory import Trajectory

DEFAULT_PRECISION = 0.95
_EVEN, _ORDER = 0.5, 0.001


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
    trajectory: Trajectory,
    *,
    precision: float = DEFAULT_PRECISION,
    weights: General | None = None,
    uncalibrated: bool = False,
    work: Work | None = None,
) -> Judgement:
    """Judge every label from all the evidence that one scored run holds.

    Every kind of verdict is given only where what was injected into the run shows that it is worth what is asked for:
    see :attr:`Summary.claims`. Without injected errors there are no verdicts.

    Args:
        trajectory: of a scored run, with features.
        precision: the share of the verdicts that should be right, in [0.5, 1).
        weights: of the evidence; those of this package by default.
        uncalibrated: where nothing was injected, give verdicts by the mixture's probabilities all the same, each of
            which has to leave but a fifth of the room for error. On some data they are far too high.
        work: how it is done.

    Raises:
        FastreidPruneError: no features, too few samples or identities, or a precision out of range.
    """
    _check(trajectory, precision)
    injected = InjectedErrors.of(trajectory)
    reference = build_reference_set(trajectory, injected.label, injected.dataset_rows, work)
    evidence = weigh(trajectory, reference, injected.label, work=work, name="evidence")
    switched, moved = np.flatnonzero(injected.switched), np.flatnonzero(injected.moved)
    as_trained = weigh(trajectory, reference, trajectory.labels[switched], switched)
    fair = weigh(trajectory, reference, injected.label[moved], moved, barred=trajectory.labels[moved])
    fitted = fit(evidence, as_trained, fair, injected, reference.label_confidence, weights or general())
    evidence, dataset = fitted.evidence, injected.dataset_rows
    # what was trained under a wrong label by our doing is not covered by what is claimed of the others
    natural = dataset & ~injected.moved & evidence.seen
    claims = claim_labels(fitted, natural, switched, precision, _visits(trajectory, natural))
    if fitted.injected is None and uncalibrated:
        claims = own_word(fitted, natural, precision)
    is_wrong = natural & _named(fitted.scores, claims.names)
    is_outlier = natural & ~is_wrong & (fitted.scores.unfit >= _threshold(claims.outliers))
    doubtful = natural & ~is_wrong & ~is_outlier & (fitted.probability[:, CLEAN_CLASS] < _EVEN)
    in_doubt = doubtful & (fitted.scores.unfit >= _threshold(claims.in_doubt))
    by_estimate = np.zeros_like(in_doubt)
    if claims.facts is not None:
        for rows in (injected.switched, injected.clip >= 0):
            by_estimate |= most_doubted(
                fitted.scores.unfit, rows & dataset & evidence.seen, claims.facts.errors, claims.least_unfit
            )

    verdict = np.full(len(dataset), CLEAN, object)
    verdict[~evidence.seen], verdict[is_wrong], verdict[is_outlier] = UNJUDGED, MISLABELLED, OUTLIER
    names = class_names(trajectory)
    wrong, outlier = fitted.probability[:, WRONG_CLASS], fitted.probability[:, OUTLIER_CLASS]
    right = fitted.probability[:, CLEAN_CLASS]
    # that a label is more likely wrong than right is not said where nothing bears it out; but which is the most doubted
    right = np.where(in_doubt, right, np.maximum(right, _EVEN + _ORDER * (right / _EVEN) ** 0.25))
    right = np.where(by_estimate, np.nextafter(_EVEN, 0), right)
    confidence = np.select(
        [is_wrong, is_outlier], [wrong * fitted.relabel_confidence, wrong + outlier], right
    )
    confidence = np.where(evidence.seen, np.clip(confidence, 0, 1), np.nan)
    suggested = np.where(is_wrong, names[evidence.suggested], "")
    runner_up = np.where(is_wrong, names[evidence.runner_up], "")
    more_outlier = outlier >= wrong
    reason = reasons(
        verdict, evidence, names, fitted.usual, more_outlier, _duplicates(trajectory, reference, names)
    )
    copies = near_duplicates(trajectory, injected.label, dataset & (verdict == CLEAN))
    for row, partner, similarity in copies:
        verdict[row] = NEAR_DUPLICATE
        reason[row] = f"near-duplicate of {_file(trajectory, partner)} (cosine {similarity:.3f})"
    columns = (verdict, suggested, runner_up, confidence, reason)
    verdicts = Verdicts(*(column[dataset] for column in columns))
    seen = dataset & evidence.seen
    believed = float((reference.label_confidence[seen] > _EVEN).mean()) if seen.any() else 0.0
    return Judgement(
        verdicts,
        np.where(evidence.seen, wrong, np.nan)[dataset],
        np.where(evidence.seen, outlier, np.nan)[dataset],
        replace(
            _summary(fitted, injected, precision, claims, verdicts, natural, believed),
            approximations=reference.approximations,
        ),
    )


def _threshold(claim: Claim) -> float:
    return np.inf if claim.threshold is None else claim.threshold


def _named(scores: Scores, claim: Claim) -> np.ndarray:
    """[n] bool: the label is to be replaced."""
    unfit = -np.inf if claim.threshold_unfit is None else claim.threshold_unfit
    return (scores.named >= _threshold(claim)) & (scores.unfit >= unfit)


def _visits(trajectory: Trajectory, rows: np.ndarray) -> float:
    """How often the model saw each of these images, on average."""
    return float(trajectory.epochs.visits.sum(0)[rows].mean()) if rows.any() else 0.0


def _duplicates(trajectory: Trajectory, reference: ReferenceSet, names: np.ndarray) -> dict[int, str]:
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


def _summary(
    fitted: Fitted,
    injected: InjectedErrors,
    precision: float,
    claims: LabelClaims,
    verdicts: Verdicts,
    natural: np.ndarray,
    believed: float,
) -> Summary:
    found = composed = name = None
    if fitted.injected is not None:
        switched, outliers = fitted.injected.switched, fitted.injected.composed
        hit = _named(switched, claims.names)
        found = float((hit | (switched.unfit >= _threshold(claims.outliers))).mean())
        name = float(fitted.injected.name_right[hit].mean()) if hit.any() else None
        if len(outliers.unfit):
            composed = float((outliers.unfit >= _threshold(claims.outliers)).mean())
    share = fitted.probability[natural].mean(0) if natural.any() else np.array([1.0, 0.0, 0.0])
    facts = claims.facts
    return Summary(
        samples=len(verdicts),
        mislabelled=int(verdicts.mislabelled.sum()),
        outliers=int(verdicts.outlier.sum()),
        precision=precision,
        claims=tuple(claims),
        wrong_share=float(share[WRONG_CLASS]),
        outlier_share=float(share[OUTLIER_CLASS]),
        believed=believed,
        in_doubt=int(verdicts.in_doubt.sum()),
        injected_in_doubt=int(verdicts.in_doubt[injected.moved[injected.dataset_rows]].sum()),
        near_duplicates=int((verdicts.verdict == NEAR_DUPLICATE).sum()),
        most_wrong=None if facts is None else facts.most_errors,
        suspects=0 if facts is None or not facts.tells_injected else round(facts.errors * facts.samples),
        injected_labels=int(injected.switched.sum()),
        injected_outliers=int(injected.composed.sum()),
        injected_clips=int(injected.clip.max(initial=-1)) + 1,
        labels_found=found,
        outliers_found=composed,
        name_right=name,
        name_first=None if facts is None else facts.name_first,
        separation=None if facts is None else facts.separation,
        uncalibrated=fitted.injected is None and any(claim.stands for claim in claims),
    )


def _check(trajectory: Trajectory, precision: float) -> None:
    if not 0.5 <= precision < 1:
        raise FastreidPruneError(f"precision: {precision} found, a fraction in [0.5, 1) expected.")
    if trajectory.features is None:
        raise FastreidPruneError(
            "judge: the trajectory has no features, and neighbours are half of the evidence. Score again with "
            "features (in a loop of your own recorder.watch(head) records them), or use the paper's rule."
        )
    if trajectory.num_classes < 3 or trajectory.num_samples < 50:
        raise FastreidPruneError(
            f"judge: {trajectory.num_samples} samples of {trajectory.num_classes} identities found; at least 50 "
            "samples of 3 identities are needed to tell what is usual."
        )
