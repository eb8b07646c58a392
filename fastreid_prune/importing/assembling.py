"""From what lists or a person say to a manifest."""

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.importing.corrected import Corrected
from fastreid_prune.importing.listed import Listed
from fastreid_prune.io.names import check_names
from fastreid_prune.manifest import Manifest
from fastreid_prune.scored_run.score_table import UNREADABLE
from fastreid_prune.scored_run.verdicts import MISLABELLED, OUTLIER, Verdicts
from fastreid_prune.selection import select
from fastreid_prune.trajectory import Samples


def from_lists(samples: Samples, listed: Listed, ratio: float, purify: bool) -> Manifest:
    """The manifest of a data set from lists. Samples that the lists do not name are kept and not counted.

    Raises:
        FastreidPruneError: ``purify`` where the lists hold no verdicts, ``ratio`` where they hold no ranking, or
            lists that name none of the samples.
    """
    if len(samples) and not listed.listed.any():
        raise FastreidPruneError(
            f"none of the {listed.tally.rows} listed names is among the data set's {len(samples)} images, such as "
            f"{samples.file_name[0]!r}. The lists are for another data set."
        )
    if purify and not listed.judged:
        raise FastreidPruneError(
            "the lists hold no verdicts, and purification acts on them. Import without it."
        )
    verdicts = listed.verdicts() if purify else _unreadable_only(listed)
    unranked = np.isnan(listed.score) & ~verdicts.outlier
    if ratio and listed.listed.any() and np.isnan(listed.score).all():
        raise FastreidPruneError("the lists hold no ranking, and pruning needs one. Import with ratio 0.")
    keep = select(listed.score, ratio, file_names=samples.file_name, excluded=verdicts.outlier | unranked)
    keep |= unranked
    return Manifest.build(
        samples, listed.score, keep, verdicts, method=listed.method, ratio=ratio, source=listed.source
    )


def from_corrections(
    samples: Samples, corrected: Corrected, base: Manifest | None, ratio: float | None
) -> Manifest:
    """The manifest of a data set as a person corrected it.

    Args:
        samples: the data set.
        corrected: what the person said. Samples that are absent there were taken out, unless ``base`` did not
            give them out.
        base: the manifest that the person's copy was made from; its scores rank.
        ratio: the fraction to prune of what is left; None: as in ``base``.

    Raises:
        FastreidPruneError: nothing matches, ``base`` does not fit the data set, or ``ratio`` without scores.
    """
    check_names(samples.file_name, "the data set")
    if not corrected.present.any():
        raise FastreidPruneError(
            f"none of the {corrected.tally.rows} corrected images is among the data set's {len(samples)} images."
        )
    count = len(samples)
    scores, given_out, reason = np.full(count, np.nan), np.ones(count, bool), np.full(count, "", object)
    about: dict = {"method": "by hand", "ratio": 0.0}
    pid = np.where(corrected.present, corrected.pid, samples.pid)
    if base is not None:
        rows = base.check_against(samples.file_name, samples.pid)
        scores, given_out, reason = base.score[rows], base.kept[rows], base.reason[rows].copy()
        about = {key: base.about.get(key) or default for key, default in about.items()}
        elsewhere = ~corrected.present & ~given_out
        pid[elsewhere] = base.new_pid[rows][elsewhere]
    gone = np.where(corrected.present, pid == "", given_out)
    if base is not None:
        gone |= ~corrected.present & (base.action[rows] == OUTLIER)
    changed = corrected.present & (pid != samples.pid) & ~gone
    verdict = np.where(gone, OUTLIER, np.where(~gone & (pid != samples.pid), MISLABELLED, "")).astype(object)
    reason[corrected.present] = ""
    reason[changed] = "corrected by hand"
    reason[gone & (given_out | corrected.present)] = "taken out by hand"
    empty = np.full(count, "", object)
    suggested = np.where(verdict == MISLABELLED, pid, "").astype(object)
    verdicts = Verdicts(verdict, suggested, empty, np.full(count, np.nan), reason)
    keep = ~gone & (corrected.present | given_out)
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


def _unreadable_only(listed: Listed) -> Verdicts:
    verdicts = listed.verdicts()
    gone = verdicts.outlier & np.array([text.startswith(UNREADABLE) for text in listed.reason], bool)
    empty = np.full(len(gone), "", object)
    kept = [np.where(gone, column, "").astype(object) for column in (verdicts.verdict, verdicts.reason)]
    return Verdicts(kept[0], empty, empty, verdicts.confidence, kept[1])
