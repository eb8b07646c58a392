"""From what lists or a person say to a manifest."""

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats.corrected import REMOVED, Corrected
from fastreid_prune.formats.listed import Listed
from fastreid_prune.formats.matching import Tally
from fastreid_prune.io.names import check_names
from fastreid_prune.manifest import OUTLIER as OUTLIER_ACTION
from fastreid_prune.manifest import Manifest
from fastreid_prune.manifest.brake import brake
from fastreid_prune.scored_run.score_table import UNREADABLE
from fastreid_prune.scored_run.verdicts import MISLABELLED, OUTLIER, Verdicts
from fastreid_prune.selection import select
from fastreid_prune.trajectory import Samples

# corrections that remove more of a data set than this are a misunderstanding; our choice
_MOST = 0.5


def from_lists(
    samples: Samples, listed: Listed, ratio: float, purify: bool, most_removed: float, lose_identities: bool
) -> tuple[Manifest, list[str]]:
    """The manifest of a data set from lists. Samples that the lists do not name are kept and not counted.

    Returns:
        The manifest, and what purification would have done and did not since it goes too far, as in
        :func:`.manifest.brake.brake`, in sentences.

    Raises:
        FastreidPruneError: ``purify`` where the lists hold no verdicts, ``ratio`` where they hold no ranking, or
            lists that name none of the samples.
    """
    if len(samples) and not listed.listed.any():
        raise FastreidPruneError(_none_matches("listed names", samples, listed.tally))
    if purify and not listed.judged:
        raise FastreidPruneError(
            "the lists hold no verdicts, and purification acts on them. Import without it."
        )
    unreadable = np.array([reason.startswith(UNREADABLE) for reason in listed.reason], bool)
    verdicts, held = _unreadable_only(listed), []
    if purify:
        braked = brake(
            samples.pid, listed.verdicts(), np.zeros(len(samples), bool), unreadable & listed.verdicts().outlier,
            most_removed=most_removed, lose_identities=lose_identities,
        )  # fmt: skip
        verdicts, held = braked.verdicts, braked.held
    unranked = np.isnan(listed.score) & ~verdicts.outlier
    if ratio and listed.listed.any() and np.isnan(listed.score).all():
        raise FastreidPruneError("the lists hold no ranking, and pruning needs one. Import with ratio 0.")
    keep = select(listed.score, ratio, file_names=samples.file_name, excluded=verdicts.outlier | unranked)
    keep |= unranked
    manifest = Manifest.build(
        samples, listed.score, keep, verdicts, method=listed.method, ratio=ratio, source=listed.source
    )
    return manifest, held


def from_corrections(
    samples: Samples,
    corrected: Corrected,
    base: Manifest | None = None,
    ratio: float | None = None,
    remove_missing: bool = False,
) -> Manifest:
    """The manifest of a data set as a person corrected it.

    Args:
        samples: the data set.
        corrected: what the person said. Other samples stay as they are in ``base``, or with the given label.
        base: the manifest that the person's copy was made from; its scores rank.
        ratio: the fraction to prune of what is left; None: as in ``base``.
        remove_missing: samples that the person says nothing about were taken out, unless ``base`` did not give them
            out.

    Raises:
        FastreidPruneError: nothing matches, ``base`` does not fit the data set, ``ratio`` without scores, or most of
            the data set would be removed.
    """
    check_names(samples.file_name, "the data set")
    said = corrected.present
    if not said.any() and len(samples):
        raise FastreidPruneError(_none_matches("corrected images", samples, corrected.tally))
    count = len(samples)
    scores, reason = corrected.score, np.full(count, "", object)
    before, given_out = samples.pid, np.ones(count, bool)
    was_outlier = np.zeros(count, bool)
    about: dict = {"method": corrected.method, "ratio": 0.0}
    if base is not None:
        rows = base.check_against(samples.file_name, samples.pid)
        scores, given_out, reason = base.score[rows], base.kept[rows], base.reason[rows].copy()
        was_outlier = base.action[rows] == OUTLIER_ACTION
        before = np.where(was_outlier, samples.pid, base.new_pid[rows])
        about = {key: base.about.get(key) or default for key, default in about.items()}
    by_hand = np.where(said, corrected.pid == REMOVED, remove_missing & given_out)
    gone = np.where(said, by_hand, by_hand | was_outlier).astype(bool)
    _check_most_stay(samples, by_hand & ~was_outlier, corrected, remove_missing)
    pid = np.where(said & ~gone, corrected.pid, before)
    changed = (pid != samples.pid) & ~gone
    verdict = np.where(gone, OUTLIER, np.where(changed, MISLABELLED, "")).astype(object)
    reason[said] = ""
    reason[said & changed] = "corrected by hand"
    reason[by_hand] = "taken out by hand"
    empty = np.full(count, "", object)
    suggested = np.where(changed, pid, "").astype(object)
    verdicts = Verdicts(verdict, suggested, empty, np.full(count, np.nan), reason)
    keep = ~gone & np.where(said, ~corrected.pruned, given_out)
    if ratio is not None:
        unscored = np.isnan(scores) & ~gone
        if ratio and np.isnan(scores).all():
            raise FastreidPruneError(
                "ratio: nothing ranks the images. Give the manifest that the copy was made from."
            )
        keep = select(scores, ratio, file_names=samples.file_name, excluded=gone | unscored) | unscored
        about["ratio"] = ratio
    manifest = Manifest.build(samples, scores, keep, verdicts, source=corrected.source, **about)
    manifest.about["new_ids"] = sorted(corrected.new_ids & set(manifest.new_pid))
    return manifest


def _none_matches(what: str, samples: Samples, tally: Tally) -> str:
    listed = tally.unmatched_example()
    shown = (
        f" One of them: {ascii(listed)[:300]}, one of these: {ascii(samples.file_name[0])}." if listed else ""
    )
    notes = "" if tally.matched == 0 else f" ({'; '.join(tally.lines())})"
    return (
        f"none of the {tally.rows} {what} says anything about the data set's {len(samples)} images{notes}.{shown} "
        "Names must be equal, or their last part must be; is this for another data set?"
    )


def _check_most_stay(
    samples: Samples, removed: np.ndarray, corrected: Corrected, remove_missing: bool
) -> None:
    count = int(removed.sum())
    if count <= _MOST * len(samples):
        return
    absent = int((removed & ~corrected.present).sum())
    what = f"{absent} that are missing" if remove_missing and absent else "tags that remove them"
    raise FastreidPruneError(
        f"{count} of the data set's {len(samples)} images would be removed ({what}), more than half. "
        "Where only a part of the images was looked at, those that are missing have to keep their label: import "
        "without removing them. If most of the set is to go, edit its manifest and import that with --edited."
    )


def _unreadable_only(listed: Listed) -> Verdicts:
    verdicts = listed.verdicts()
    gone = verdicts.outlier & np.array([text.startswith(UNREADABLE) for text in listed.reason], bool)
    empty = np.full(len(gone), "", object)
    kept = [np.where(gone, column, "").astype(object) for column in (verdicts.verdict, verdicts.reason)]
    return Verdicts(kept[0], empty, empty, verdicts.confidence, kept[1])
