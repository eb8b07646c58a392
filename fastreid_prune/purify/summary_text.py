"""The summary in sentences that a person can act on."""

from fastreid_prune.purify.fitting import MOST_UNSURE
from fastreid_prune.purify.judge import Summary

_HELP = "More epochs, a pretrained backbone or a higher resolution in the scoring run would help"


def sentences(summary: Summary) -> list[str]:
    """What was found, what it is worth, and where too little is known for verdicts."""
    unsure = (summary.unsure or 0.0) > MOST_UNSURE
    estimate = (
        f" (an estimated {_percent(summary.wrong_share)} wrong labels and {_percent(summary.outlier_share)} outliers "
        "in all)"
    )
    lines = [
        f"{summary.samples} samples: {summary.mislabelled} mislabelled, {summary.outliers} outliers or of no clear "
        f"identity{'' if unsure else estimate}."
    ]
    if summary.near_duplicates:
        lines[0] += (
            f" {summary.near_duplicates} more are near-duplicates of others of their identity, and stay."
        )
    if summary.in_doubt:
        lines[0] += (
            f" {summary.in_doubt} more are likelier wrong than right (some near-duplicates may be among them), though "
            "not surely enough for a verdict: purifying leaves them out of the training."
        )
    if summary.is_weak:
        lines.append(
            f"The scoring model believes only {_percent(summary.believed)} of the given labels: it is too weak to "
            f"doubt any, so there are no verdicts. {_HELP}."
        )
        return lines
    if summary.switched_found is None:
        lines.append(
            "No errors were planted into this run, so what its verdicts are worth here is not measured: those given "
            f"have an estimated probability of {_percent(summary.mislabelled_threshold)} or more, which nothing here "
            "confirms. Score with PRUNE.PURIFY.CALIBRATE True to know."
        )
        return lines
    if unsure:
        planted = summary.planted_switched + summary.planted_composed
        lines.append(
            f"The {planted} planted errors are not set apart clearly enough to say how many errors the data set holds, "
            f"so there are no verdicts: the scoring model is too weak, or the errors are of another kind. {_HELP}."
        )
        return lines
    lines.append(
        _worth(
            "planted wrong labels",
            summary.planted_switched,
            summary.switched_found,
            summary.mislabelled_precision,
            summary.precision,
        )
    )
    if summary.composed_found is not None:
        lines.append(
            _worth(
                "planted outliers",
                summary.planted_composed,
                summary.composed_found,
                summary.outlier_precision,
                summary.precision,
            )
        )
    return lines


def _worth(what: str, count: int, found: float, precision: float | None, asked: float) -> str:
    if precision is None:
        if found < 0.2:
            return (
                f"Of {count} {what}, {_percent(found)} could be told at the {_percent(asked)} precision asked for: "
                f"this scoring model is too weak for such verdicts. {_HELP}; or ask for less precision."
            )
        return (
            f"Of {count} {what}, {_percent(found)} were found; among the data set's own samples nothing was."
        )
    worth = (
        f"Of {count} {what}, {_percent(found)} were found; "
        f"of what is flagged, about {_percent(precision)} is right."
    )
    return worth if found >= 0.2 else f"{worth} Few are found: the scoring model is weak. {_HELP}."


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.1f} %"
