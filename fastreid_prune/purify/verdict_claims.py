"""The claims on single labels: right names, images to leave out, and what is more likely wrong than right."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fastreid_prune.purify.calibration import CLEAN_CLASS, WRONG_CLASS
from fastreid_prune.purify.claims import (
    IN_DOUBT,
    NAMES,
    OUTLIERS,
    Beyond,
    Claim,
    Worth,
    lowest_threshold,
    most_right_altered,
)
from fastreid_prune.purify.false_alarms import TAIL_SHARE, TAILS, estimate_false_alarms, share_at_most
from fastreid_prune.purify.fitting import Fitted, Scores
from fastreid_prune.purify.metrics import area_under_curve
from fastreid_prune.purify.name_candidates import NameCandidates
from fastreid_prune.purify.refusals import Facts, in_groups, not_calibrated, refusal, too_few

EVEN_ODDS = 0.5
# of the names, the most that may come in groups, which injected single errors do not vouch for (ours)
MOST_IN_GROUPS = 0.05
# no data set that is worth judging holds a larger share of errors
MOST_ERRORS = 0.4


@dataclass(frozen=True)
class LabelClaims:
    """The claims on single labels.

    Attributes:
        names, outliers, in_doubt: one of each kind.
        facts: what was measured of the injected errors; None where nothing was injected.
    """

    names: Claim
    outliers: Claim
    in_doubt: Claim
    facts: Facts | None

    def __iter__(self) -> Iterator[Claim]:
        """The three claims."""
        return iter((self.names, self.outliers, self.in_doubt))

    @property
    def least_unfit(self) -> float:
        """The least ``unfit`` score of any verdict, or of what is in doubt; infinite where all are refused."""
        least = (self.names.threshold_unfit, self.outliers.threshold, self.in_doubt.threshold)
        return min((one for one in least if one is not None), default=np.inf)


def claim_labels(
    fitted: Fitted, natural: np.ndarray, switched: np.ndarray, asked: float, visits: float
) -> LabelClaims:
    """Make the claims of a run.

    Args:
        fitted: the evidence of N rows, weighed.
        natural: [N] bool, rows of the data set that were judged and that nothing was done to.
        switched: [S] int64, rows whose label was switched.
        asked: the precision asked for.
        visits: how often the model saw each image, on average.
    """
    injected = fitted.injected
    if injected is None:
        return _all(not_calibrated(), asked, None)
    unfit, named = fitted.scores.unfit[natural], fitted.scores.named[natural]
    # real outliers need not score as synthetic ones do: what injected wrong labels do not explain is held to be right
    alarms = estimate_false_alarms(unfit, [injected.switched.unfit])
    # of these tails only the errors count, which the longest one tells
    outliers = estimate_false_alarms(
        named, [injected.switched.named, injected.composed.named], tails=TAILS[:1]
    )
    most = share_at_most(unfit, injected.switched.unfit)
    found = np.zeros(1) if alarms is None else alarms.errors_beyond(-np.inf, 0) / len(unfit)
    above = area_under_curve(injected.switched.unfit, unfit)
    share = min(float(np.quantile(found, TAIL_SHARE)), MOST_ERRORS)
    facts = Facts(
        samples=int(natural.sum()),
        injected=len(switched),
        visits=visits,
        # errors among the data set's own are doubted as often as the injected ones
        separation=min((above - share / 2) / (1 - share), 1.0),
        name_first=float(injected.name_right.mean()),
        errors=float(found.mean()),
        most_errors=most,
    )
    if alarms is None or outliers is None:
        return _all(too_few(facts), asked, facts)

    names = NameCandidates(
        Scores(unfit, named), alarms, outliers, injected, fitted.scores.unfit[switched], fitted.pair[natural]
    )
    room = most_right_altered(facts.samples, facts.samples * facts.errors)
    chosen, best = lowest_threshold(names, asked, most_wrong=room)
    of_names = _claim(NAMES, asked, chosen, best, facts, names)
    grouped = 0.0 if chosen is None else names.in_groups(chosen.threshold)
    if grouped > MOST_IN_GROUPS:
        chosen = None
        reason, remedy = in_groups(grouped)
        of_names = Claim(NAMES, asked, refused=reason, remedy=remedy)
    rest = np.ones(len(named), bool)
    if chosen is not None and of_names.threshold_unfit is not None:
        rest = (named < chosen.threshold) | (unfit < of_names.threshold_unfit)
    room -= 0.0 if chosen is None else chosen.right_labels
    thrown, best = lowest_threshold(Beyond(unfit[rest], alarms), asked, most_wrong=room)
    of_outliers = _claim(OUTLIERS, asked, thrown, best, facts)
    rest &= fitted.probability[natural, CLEAN_CLASS] < EVEN_ODDS
    room -= 0.0 if thrown is None else thrown.right_labels
    doubtful = Beyond(unfit[rest], alarms, np.inf if thrown is None else thrown.threshold)
    doubted, best = lowest_threshold(doubtful, EVEN_ODDS, floor=EVEN_ODDS, most_wrong=room)
    return LabelClaims(of_names, of_outliers, _claim(IN_DOUBT, EVEN_ODDS, doubted, best, facts), facts)


def own_word(fitted: Fitted, natural: np.ndarray, asked: float) -> LabelClaims:
    """Verdicts that nothing vouches for, at the user's own word: by the mixture's probabilities, each of which has to
    leave
    but a fifth of the room for error. No precision is claimed of them, and nothing is left out for doubt alone."""
    least = 1 - (1 - asked) / 5
    probability = fitted.probability[natural]
    named = probability[:, WRONG_CLASS] * fitted.relabel_confidence[natural] >= least
    thrown = ~named & (probability[:, CLEAN_CLASS] <= 1 - least)
    names = _at_own_word(NAMES, asked, named, fitted.scores.named[natural])
    outliers = _at_own_word(OUTLIERS, asked, thrown, fitted.scores.unfit[natural])
    reason, remedy = not_calibrated()
    return LabelClaims(names, outliers, Claim(IN_DOUBT, EVEN_ODDS, refused=reason, remedy=remedy), None)


def _at_own_word(kind: str, asked: float, chosen: np.ndarray, score: np.ndarray) -> Claim:
    lowest = float(score[chosen].min()) if chosen.any() else np.inf
    return Claim(kind, asked, int(chosen.sum()), threshold=lowest)


def _claim(
    kind: str,
    asked: float,
    chosen: Worth | None,
    best: Worth | None,
    facts: Facts,
    names: NameCandidates | None = None,
) -> Claim:
    if chosen is not None:
        unfit = None if names is None else names.least_unfit(chosen.threshold)
        return Claim(
            kind, asked, chosen.count, chosen.precision, chosen.low, chosen.high, chosen.threshold, unfit
        )
    found, right = (0, 0) if names is None or best is None else names.names(best.threshold)
    reason, remedy = refusal(kind, asked, best, facts, found, right)
    return Claim(kind, asked, refused=reason, remedy=remedy)


def _all(why: tuple[str, str], asked: float, facts: Facts | None) -> LabelClaims:
    reason, remedy = why
    names, outliers = (Claim(kind, asked, refused=reason, remedy=remedy) for kind in (NAMES, OUTLIERS))
    return LabelClaims(names, outliers, Claim(IN_DOUBT, EVEN_ODDS, refused=reason, remedy=remedy), facts)
