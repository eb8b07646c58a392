"""Why a kind of verdict is refused, and what would help: in words, from what the injected errors showed."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

from fastreid_prune.purify.claims import IN_DOUBT, NAMES, Worth, least_low
from fastreid_prune.purify.false_alarms import TAIL_SHARE

# injected errors that score above this share of the data set's labels are set apart well enough; ours, as the others
# here
SET_APART = 0.9
# a model to which the right identity occurs first for fewer injected wrong labels does not know who is who
KNOWS = 0.5
# fewer errors than this share of the labels are not worth speaking of as many
_FEW_ERRORS = 0.005
# what models that knew who is who had seen: so many images, so many times each (docs/verdicts.md)
_USUAL_VISITS = 12
_USUAL_SAMPLES = 4000
# more injected errors than so many times today's spoil the model
_MOST_TIMES = 5


@dataclass(frozen=True)
class Facts:
    """What the injected errors showed.

    Attributes:
        samples: of the data set, without those whose label was switched.
        injected: labels that were switched.
        visits: how often the model saw each image, on average.
        separation: the share of pairs in which an injected wrong label is doubted more than a right one, by estimate.
        name_first: the share of injected wrong labels whose right identity comes first.
        errors: the share of errors like them, by estimate.
        most_errors: the most that it can be.
    """

    samples: int
    injected: int
    visits: float
    separation: float
    name_first: float
    errors: float
    most_errors: float

    @property
    def tells_injected(self) -> bool:
        """The model tells injected wrong labels from right ones, and mostly knows whose they are."""
        return tells_injected(self.separation, self.name_first)


def tells_injected(separation: float, name_first: float) -> bool:
    """See :attr:`Facts.tells_injected`."""
    return separation >= SET_APART and name_first >= KNOWS


def not_calibrated() -> tuple[str, str]:
    """Nothing was injected: reason and remedy."""
    return (
        "no errors were injected into this run, so nothing shows what a verdict is worth on this data set",
        "score with injected errors (the scoring configurations inject them; in a loop of your own train on "
        "inject_label_noise(labels).labels and hand it to ScoredRun.from_recorder), or judge with --uncalibrated and "
        "answer for the verdicts yourself",
    )


def too_few(facts: Facts) -> tuple[str, str]:
    """Too little to tell anything."""
    return (
        f"{facts.samples} samples and {facts.injected} injected wrong labels are too few to tell errors from "
        "right labels",
        "judge a larger set (from about 500 samples), or look through the ranking by hand",
    )


def in_groups(share: float) -> tuple[str, str]:
    """Doubted labels go from one identity to one other together: reason and remedy."""
    return (
        f"at least {_percent(share)} of the doubted labels come in groups, from one identity to the same other one, as "
        "injected single errors do not: these show nothing about names there",
        "look at the verdicts on clips and at identities.csv, or through the first of the ranking by hand",
    )


def refusal(
    kind: str, asked: float, best: Worth | None, facts: Facts, found: float, right: float
) -> tuple[str, str]:
    """Reason and remedy for a kind whose claim cannot be made.

    Args:
        kind: of verdict.
        asked: the precision asked for.
        best: what the best threshold is worth.
        facts: what the injected errors showed.
        found, right: injected wrong labels found at that threshold, and right names among them.
    """
    found, right = round(found), round(right)
    if facts.separation < SET_APART or facts.name_first < KNOWS * (1 - facts.most_errors):
        return (
            f"the model is too weak here: injected wrong labels are doubted more than right ones in "
            f"{_percent(facts.separation)} of all pairs, and their right identity comes first for "
            f"{_percent(facts.name_first)}",
            better_model(facts),
        )
    if best is None:
        return "no other label is more likely wrong than right", ""
    if facts.errors < _FEW_ERRORS:
        return (
            f"hardly any label is wrong as the injected ones are ({_percent(facts.errors)} by estimate, no more than "
            f"{_percent(facts.most_errors)}): too few to be distinguished from the right ones",
            "look through the first of the ranking by hand",
        )
    if kind == NAMES and found and right / found < asked:
        return (
            f"of {found} injected wrong labels found only {right} got their right name",
            f"{better_model(facts)}; or ask for less than {_percent(asked)}",
        )
    times = _times_as_many(asked, best, found, right) if kind == NAMES else None
    if times is not None:
        return (
            f"{right} right names of {found} injected wrong labels found show no more than {_percent(best.low)} on the "
            f"data set's own, {_percent(least_low(asked))} ({_percent(asked)} asked for) is needed",
            f"inject more: about {math.ceil(facts.injected * times)} wrong labels instead of {facts.injected}, "
            f"{_percent(facts.injected * times / facts.samples)} of the labels",
        )
    floor = 0.5 if kind == IN_DOUBT else least_low(asked)
    if best.low < floor:
        needed = (
            "even odds are" if kind == IN_DOUBT else f"{_percent(floor)} ({_percent(asked)} asked for) is"
        )
        shown = (
            f"no more than {_percent(max(best.low, 0))} of the verdicts is shown to be right, {needed} needed"
        )
    else:
        of_asked = "" if kind == IN_DOUBT else f" ({_percent(asked)} asked for)"
        shown = (
            f"about {_percent(best.precision)} of {best.count} verdicts are right{of_asked}, and about "
            f"{best.right_labels:.0f} right labels would be flagged"
        )
    return (
        f"right and wrong labels overlap: at the best threshold {shown}",
        f"{better_model(facts)}. The injected errors are found, so the data set's errors may be of another kind: see "
        "by hand whether the first of the ranking come in clips or whole identities",
    )


def better_model(facts: Facts) -> str:
    """What would make the scoring model better, most helpful first."""
    wanted = math.ceil(_USUAL_SAMPLES * _USUAL_VISITS / max(facts.samples, 1))
    longer = (
        f"about {wanted} epochs (each image was seen {facts.visits:.0f} times, which is few for {facts.samples} "
        "images), "
        if facts.samples * facts.visits < _USUAL_SAMPLES * _USUAL_VISITS
        else ""
    )
    return f"{longer}weights pretrained on like images, a higher resolution"


def _times_as_many(asked: float, best: Worth, found: int, right: int) -> float | None:
    """How many times as many injected errors, found and named at the same rates, would do; None: none would."""
    if not right or best.precision < asked or best.low >= least_low(asked):
        return None
    no_false_alarms = best.precision * found / right
    for times in np.arange(1.1, _MOST_TIMES, 0.1):
        rate = beta.ppf(TAIL_SHARE, right * times, (found - right) * times + 1)
        if no_false_alarms * rate >= least_low(asked):
            return float(times)
    return None


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.1f} %"
