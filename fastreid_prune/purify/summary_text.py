"""The summary in sentences that a person can act on."""

from fastreid_prune.purify.claims import CLIPS, CLIPS_IN_DOUBT, CLIPS_OUT, IN_DOUBT, NAMES, OUTLIERS, Claim
from fastreid_prune.purify.summary import Summary

_WHAT = {
    NAMES: "relabelled",
    OUTLIERS: "left out as wrong or as an outlier",
    IN_DOUBT: "left out for doubt",
    CLIPS: "relabelled in whole clips",
    CLIPS_OUT: "judged wrong in whole clips",
}
_SINGLE = (NAMES, OUTLIERS, IN_DOUBT)
# what is counted of clips
_COUNTED = _WHAT | {
    CLIPS: "clips relabelled",
    CLIPS_OUT: "clips judged wrong, and relabelled or left out",
    CLIPS_IN_DOUBT: "clips left out for doubt",
}


def sentences(summary: Summary) -> list[str]:
    """How good the model was, what was found, what that is worth, and what was refused and why."""
    lines = [headline(summary), _found(summary), *summary.approximations]
    if summary.uncalibrated:
        lines.append(
            "These verdicts are given at your own word (--uncalibrated): no errors were injected into this run, "
            "so nothing "
            "shows what they are worth. On some data most of such verdicts were wrong."
        )
        return lines
    lines += [worth(claim) for claim in summary.claims if claim.stands]
    refused: dict[tuple[str, str], list[str]] = {}
    clips = any(claim.stands and claim.kind not in _SINGLE for claim in summary.claims)
    for claim in summary.claims:
        if not claim.stands:
            who = "Image by image, nothing" if clips and claim.kind in _SINGLE else "Nothing"
            refused.setdefault((who, claim.refused), []).append(_WHAT[claim.kind])
    lines += [f"{who} is {_joined(kinds)}: {reason}." for (who, reason), kinds in refused.items()]
    # errors in clips are learned by heart: what would help image by image, more epochs, can harm there
    advised = [claim.remedy for claim in summary.claims if not (clips and claim.kind in _SINGLE)]
    remedies = dict.fromkeys(remedy for remedy in advised if remedy)
    return lines + [f"What would help: {remedy}." for remedy in remedies]


def headline(summary: Summary) -> str:
    """One sentence: whether the scoring model was good enough, by the injected errors."""
    if summary.uncalibrated or not summary.injected_labels:
        return "Whether the scoring model was good enough is not known: no errors were injected into the run."
    measured = (
        f"of {summary.injected_labels} injected wrong labels the right identity came first for "
        f"{percent(summary.name_first or 0.0)}"
    )
    if summary.clean:
        return (
            "The scoring model was good enough to judge labels, and hardly any label can be wrong as the injected ones "
            f"are: {measured}."
        )
    if summary.good:
        return f"The scoring model was good enough to judge labels: {measured}."
    if summary.tells_injected:
        return (
            "The scoring model finds injected errors, but no verdict on the data set's labels is shown to be right: "
            f"{measured}."
        )
    return f"The scoring model was too weak to judge labels: {measured}. Nothing here is to be acted on."


def worth(claim: Claim) -> str:
    """What a kind of verdict is worth."""
    if claim.kind == CLIPS_IN_DOUBT:
        return (
            f"{claim.count} {_COUNTED[claim.kind]}, images that are clips by themselves among them, until as many are "
            "gone as are wrong by estimate; no precision is claimed."
        )
    if claim.precision is None or claim.low is None:
        return f"{claim.count} {_COUNTED[claim.kind]}; what that is worth is not known."
    return (
        f"{claim.count} {_COUNTED[claim.kind]}: about {percent(claim.precision)} rightly, and at least "
        f"{percent(claim.low)} "
        "in nine of ten such cases, by the injected errors."
    )


def _found(summary: Summary) -> str:
    line = (
        f"{summary.samples} samples: {summary.mislabelled} mislabelled, {summary.outliers} outliers or of no clear "
        "identity."
    )
    if summary.most_wrong is not None:
        line += (
            f" No more than about {percent(summary.most_wrong)} of the labels are wrong as injected ones are."
        )
    if summary.in_doubt:
        line += (
            f" {summary.in_doubt} more are in doubt: more likely wrong than right, and not sure enough for a verdict. "
            "Purifying leaves them out."
        )
    if summary.injected_in_doubt:
        line += (
            f" Of these, {summary.injected_in_doubt} were trained under a wrong label on purpose: the most doubted, no "
            "more than are wrong by estimate."
        )
    if summary.near_duplicates:
        line += f" {summary.near_duplicates} more are near-duplicates of others of their identity, and stay."
    return line


def _joined(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"


def percent(share: float) -> str:
    """A fraction as a person reads it.

    >>> percent(0.031), percent(0.95)
    ('3.1 %', '95 %')
    """
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.1f} %"
