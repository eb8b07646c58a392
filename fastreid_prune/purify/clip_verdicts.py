"""Verdicts on clips: whole tracklets under a wrong identity, as far as clips that were moved on purpose bear it out."""

from dataclasses import dataclass

import numpy as np

from fastreid_prune.io.work import Work
from fastreid_prune.purify.claims import CLIPS_IN_DOUBT, Claim
from fastreid_prune.purify.clip_claims import NO_CAMERAS, claim_names, claim_wrong
from fastreid_prune.purify.clip_doubt import in_doubt
from fastreid_prune.purify.clip_evidence import ChoiceWeights, ClipEvidence, weigh_clips
from fastreid_prune.purify.clips import find_clips
from fastreid_prune.purify.discriminant import unit
from fastreid_prune.purify.false_alarms import estimate_false_alarms
from fastreid_prune.purify.features import comparable
from fastreid_prune.scored_run.injected import InjectedErrors
from fastreid_prune.scored_run.verdicts import (
    CLEAN,
    CLIP_REASON,
    MISLABELLED,
    NEAR_DUPLICATE,
    OUTLIER,
    Verdicts,
)
from fastreid_prune.trajectory import Trajectory

# single images are judged by themselves
LEAST_IMAGES = 2
_EVEN = 0.5


@dataclass(frozen=True)
class ClipJudgement:
    """Verdicts on the clips of a data set's N samples, K clips.

    Attributes:
        clip: [N] int64, each sample's clip; -1 where it has no features.
        evidence: of the clips, under the label that the data set gives.
        named: [K] bool, the clip is wrong and shows the identity that is suggested.
        unnamed: [K] bool, it does not show its identity, and whom it shows is not sure: it is left out.
        in_doubt: [K] bool, no verdict, and yet more likely wrong than right: see :mod:`.clip_doubt`.
        claims: that names are right, and that clips are wrong at all, or why there are no such verdicts; then, where
            some are in doubt, how many; what doubt is worth is not claimed.
        several_cameras: the data set has more than one; without, clips are judged by features alone.
        names: [C] str, of the identities.
        first: [K] str, the file of each clip's first image.
    """

    clip: np.ndarray
    evidence: ClipEvidence
    named: np.ndarray
    unnamed: np.ndarray
    in_doubt: np.ndarray
    claims: tuple[Claim, ...]
    several_cameras: bool
    names: np.ndarray
    first: np.ndarray

    @property
    def sentences(self) -> list[str]:
        """What could not be decided, and why."""
        e, lines = self.evidence, []
        alone = len(set(e.label[~e.decidable].tolist()))
        one_camera = len(set(e.label[e.decidable & ~e.other_cameras].tolist()))
        if not self.several_cameras:
            if self.claims[1].stands:
                lines.append(
                    f"{NO_CAMERAS.capitalize()}: clips are held against other clips by features alone."
                )
            return lines
        if one_camera:
            lines.append(
                f"{one_camera} identities were seen by one camera: their clips are held against others of that camera."
            )
        if alone:
            lines.append(
                f"{alone} identities have a single clip: whether it is theirs is not decidable, and it gets no verdict."
            )
        return lines

    @property
    def approximations(self) -> tuple[str, ...]:
        """What is not exact, in sentences."""
        inexact = (
            "Clips are held against the identities that they are most like alone, the others are estimated."
        )
        return () if self.evidence.exact else (inexact,)

    def reason(self, number: int) -> str:
        """Why a clip is judged wrong, in words."""
        e, begins = self.evidence, self.first[number].rsplit("/", 1)[-1]
        like = self.names[e.suggested[number]]
        where = "of other cameras" if e.other_cameras[number] else "of other clips of the same camera"
        cosine, given = f"{e.likeness_suggested[number]:.2f}", f"{e.likeness_given[number]:.2f}"
        clip = f"{CLIP_REASON}{e.size[number]} images from {begins} on"
        if self.named[number]:
            return f"{clip}, which look like {like}: cosine to its images {where} {cosine} (given identity {given})"
        return (
            f"{clip}, which do not look like the given identity: cosine to its images {where} {given}; whom they show "
            f"is not sure ({like}: {cosine})"
        )

    def apply(self, verdicts: Verdicts) -> Verdicts:
        """The verdicts [N] with those on clips, and the doubt; images with a verdict against their label keep it."""
        columns = {name: getattr(verdicts, name).copy() for name in Verdicts.__dataclass_fields__}
        doubted = (self.clip >= 0) & np.isin(verdicts.verdict, (CLEAN, NEAR_DUPLICATE))
        doubted[doubted] = self.in_doubt[self.clip[doubted]]
        right = 1 / (1 + np.exp(self.evidence.wrong[self.clip[doubted]]))
        columns["confidence"][doubted] = np.minimum(right, np.nextafter(_EVEN, 0))
        inside = (self.clip >= 0) & ~verdicts.against
        inside[inside] = (self.named | self.unnamed)[self.clip[inside]]
        for row in np.flatnonzero(inside):
            number = int(self.clip[row])
            named = self.named[number]
            log_odds = (self.evidence.named if named else self.evidence.wrong)[number]
            columns["verdict"][row] = MISLABELLED if named else OUTLIER
            best, second = (
                self.names[one[number]] for one in (self.evidence.suggested, self.evidence.runner_up)
            )
            columns["suggested_pid"][row], columns["runner_up_pid"][row] = (
                (best, second) if named else ("", best)
            )
            columns["confidence"][row] = 1 / (1 + np.exp(-log_odds))
            columns["reason"][row] = self.reason(number)
        return Verdicts(**columns)


def judge_clips(
    trajectory: Trajectory,
    precision: float,
    single: Verdicts | None = None,
    weights: ChoiceWeights | None = None,
    work: Work | None = None,
) -> ClipJudgement:
    """Judge the clips of a scored run.

    Args:
        trajectory: with features and named samples.
        precision: the share of the verdicts that should be right, in [0.5, 1).
        single: what was said of the images [N] one by one; those that nothing speaks against may be in doubt as clips.
        weights: of the evidence; those of this package by default.
        work: how it is done.
    """
    injected, samples = InjectedErrors.of(trajectory), trajectory.samples
    assert trajectory.features is not None and samples is not None
    features = comparable(trajectory.features, samples.camid)
    dataset = np.flatnonzero(injected.dataset_rows)
    seen = np.isfinite(features).all(1) & (trajectory.epochs.visits.sum(0) > 0)
    rows = dataset[seen[dataset]]
    look, given = unit(features[rows]), injected.label[rows]
    trained = np.asarray(trajectory.labels)[rows]
    names, camera = np.unique(samples.camid[rows].astype(str), return_inverse=True)
    # what was moved is never in one clip with what was not
    _, group = np.unique(np.c_[trained, given], axis=0, return_inverse=True)
    clip = find_clips(look, group.reshape(-1), camera, samples.file_name[rows].tolist())
    first = np.unique(clip, return_index=True)[1]
    classes = trajectory.num_classes
    settled = np.zeros(len(dataset), bool) if single is None else single.against | single.in_doubt

    def weighed(label: np.ndarray, barred: np.ndarray, name: str) -> ClipEvidence:
        return weigh_clips(
            look, given, camera, clip, label[first],
            num_classes=classes, barred=barred[first], weights=weights, work=work, name=name,
        )  # fmt: skip

    as_trained = weighed(trained, np.full(len(rows), -1), "clips_as_trained")
    fair = weighed(given, np.where(trained != given, trained, -1), "clips")
    untouched, alone = (trained == given)[first], fair.decidable & (fair.size < LEAST_IMAGES)
    natural = fair.decidable & untouched & ~alone
    switched = injected.switched[rows][first]
    moved = (injected.clip[rows] >= 0)[first] & (fair.size >= LEAST_IMAGES)
    several = len(names) > 1
    wrong, alarms = claim_wrong(fair.wrong[natural], as_trained.wrong[moved], precision, several)
    threshold = _threshold(wrong)
    sure = natural & (fair.wrong >= threshold)
    # what was moved from a label that is as surely wrong itself has no right name that is known
    found = moved & (as_trained.wrong >= threshold) & (fair.wrong < threshold)
    right = as_trained.suggested[found] == given[first][found]
    names_claim = claim_names(wrong, alarms, fair.name[sure], as_trained.name[found], right, precision)
    named = sure & (fair.name >= _threshold(names_claim))
    doubted = in_doubt(fair.wrong, natural, alarms, [moved & fair.decidable, switched & alone], threshold)
    if several:
        # within one camera an image is by itself since it is a hard one
        rest = alone & untouched & ~settled[seen[dataset]][first]
        known = as_trained.wrong[switched & (as_trained.size < LEAST_IMAGES)]
        doubted |= in_doubt(fair.wrong, rest, estimate_false_alarms(fair.wrong[rest], [known]))
    doubted &= ~sure
    own = int((doubted & untouched).sum())
    doubt = [Claim(CLIPS_IN_DOUBT, _EVEN, own)] if own else []
    everyone = np.full(trajectory.num_samples, -1, np.int64)
    everyone[rows] = clip
    return ClipJudgement(
        clip=everyone[dataset],
        evidence=fair,
        named=named,
        unnamed=sure & ~named,
        in_doubt=doubted,
        claims=(names_claim, wrong, *doubt),
        several_cameras=several,
        names=np.array([*samples.class_names, None], object)[:-1],
        first=samples.file_name[rows[first]],
    )


def _threshold(claim: Claim) -> float:
    return np.inf if claim.threshold is None else claim.threshold
