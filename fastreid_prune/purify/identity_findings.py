"""What a scored run says of its identities: candidates for merging and parting, in words."""

import numpy as np

from fastreid_prune.io.work import Work
from fastreid_prune.purify.clip_evidence import weigh_clips
from fastreid_prune.purify.clips import find_clips
from fastreid_prune.purify.discriminant import unit
from fastreid_prune.purify.features import comparable
from fastreid_prune.purify.identities import IdentityPair, IdentityParts, more_than_one_person, same_identity
from fastreid_prune.scored_run.identity_table import MORE, SAME, Finding
from fastreid_prune.scored_run.injected import InjectedErrors
from fastreid_prune.trajectory import Trajectory

# candidates with less are not worth a person's look (ours): standard scores, and cosine within minus between
_LEAST_SAME, _LEAST_MORE = 3.0, 0.1
NOT_VOUCHED = (
    "they are candidates for a look, since no identity was split or merged on purpose in the scoring run to show "
    "how often such a finding is right here. Elsewhere nearly all of the first ten were right where a tenth of the "
    "identities was split or merged, half of them among errors of all kinds, none on clean data sets. Decide"
)


def identity_findings(trajectory: Trajectory, work: Work | None = None) -> list[Finding]:
    """Findings of both kinds, the most likely first; none is a verdict (:data:`NOT_VOUCHED`).

    Args:
        trajectory: of a scored run, with features and named samples. What was injected counts under the label that the
            data set gives, or not at all.
        work: how it is done.
    """
    injected, samples = InjectedErrors.of(trajectory), trajectory.samples
    if trajectory.features is None or samples is None:
        return []
    features = comparable(trajectory.features, samples.camid)
    seen = np.isfinite(features).all(1) & (trajectory.epochs.visits.sum(0) > 0)
    rows = np.flatnonzero(injected.dataset_rows & ~injected.moved & seen)
    if not len(rows):
        return []
    features, label, names = unit(features[rows]), injected.label[rows], np.array(samples.class_names, object)
    _, camera = np.unique(samples.camid[rows].astype(str), return_inverse=True)
    files = samples.file_name[rows]
    clip = find_clips(features, label, camera, files.tolist())
    first = np.unique(clip, return_index=True)[1]
    evidence = weigh_clips(
        features, label, camera, clip, label[first], num_classes=len(names), work=work, name="clips_left"
    )
    pairs = same_identity(features, label, camera, evidence.confidence[clip], len(names))
    parts = more_than_one_person(features, label, camera, clip, len(names))
    images = np.bincount(label, minlength=len(names))
    return [_same(pair, names, int(images[pair.second])) for pair in pairs if pair.score >= _LEAST_SAME] + [
        _more(one, names, files) for one in parts if one.score >= _LEAST_MORE
    ]


def identity_sentences(findings: list[Finding]) -> list[str]:
    """What was found, and why none of it is acted on unasked; nothing where nothing was found."""
    if not findings:
        return []
    same, more = (sum(one.kind == kind for one in findings) for kind in (SAME, MORE))
    decided = sum(one.decision != "" for one in findings)
    made = f" {decided} of them are decided." if decided else ""
    return [
        f"Identities: {same} pairs may be one person, {more} identities may hold more than one. No verdicts: "
        f"{NOT_VOUCHED} on the page or in identities.csv (column decision: accept or refuse; prune --purify "
        f"--identities obeys).{made}"
    ]


def _same(pair: IdentityPair, names: np.ndarray, images: int) -> Finding:
    shared = pair.shared_cameras
    cameras = "no camera saw both" if not shared else f"{shared} camera{'s' if shared > 1 else ''} saw both"
    reason = (
        f"{names[pair.second]} looks like {names[pair.first]}: cosine {pair.similarity:.2f} (next best "
        f"{pair.next_best:.2f}), and {cameras}; together {pair.score:.1f} standard deviations beyond other pairs"
    )
    return Finding(
        SAME, str(names[pair.first]), str(names[pair.second]), images, pair.score, None, "", "", reason
    )


def _more(parts: IdentityParts, names: np.ndarray, file_name: np.ndarray) -> Finding:
    other = "" if parts.known_as < 0 else str(names[parts.known_as])
    count = len(parts.smaller)
    who = f"; they look like {other}" if other else "; they look like nobody else of the set"
    doubt = "" if parts.decidable else "; a part is of one camera, which may be all that sets it apart"
    reason = (
        f"{count} images of {names[parts.label]} are a part of their own: clips of one part are {parts.score:.2f} "
        f"(cosine) more alike than clips of both ({parts.between:.2f}){who}{doubt}"
    )
    files = tuple(str(name) for name in file_name[parts.smaller])
    return Finding(MORE, str(names[parts.label]), other, count, parts.score, None, "", "", reason, files)
