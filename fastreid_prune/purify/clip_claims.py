"""The claims on clips: that they are wrong, whom they show, and which are more likely wrong than right."""

from dataclasses import dataclass, replace

import numpy as np

from fastreid_prune.purify.claims import (
    CLIP_ROOM,
    CLIPS,
    CLIPS_OUT,
    Beyond,
    Claim,
    Worth,
    least_low,
    lowest_threshold,
    most_right_altered,
)
from fastreid_prune.purify.false_alarms import LEAST_INJECTED, FalseAlarms, estimate_false_alarms

NO_CAMERAS = "the data set has one camera, or none that is known"


@dataclass(frozen=True)
class _Named:
    """Clips that are surely wrong, from a score of their names on; see :class:`.claims.Candidates`.

    Attributes:
        score: [n] float64, of the data set's own.
        right_clips: [draws], expected right ones among them, whatever their names' score.
        injected: [m] float64, of those that were moved.
        right: [m] bool, their suggested identity is the right one.
    """

    score: np.ndarray
    right_clips: np.ndarray
    injected: np.ndarray
    right: np.ndarray

    def thresholds(self) -> np.ndarray:
        return np.unique(self.score)[::-1]

    def count(self, threshold: float) -> int:
        return int((self.score >= threshold).sum())

    def right_labels(self, threshold: float) -> np.ndarray:
        return self.right_clips

    def wrong_names(self, threshold: float) -> np.ndarray:
        return np.zeros_like(self.right_clips)

    def names(self, threshold: float) -> tuple[int, int]:
        found = self.injected >= threshold
        return int(found.sum()), int((found & self.right).sum())


def claim_wrong(
    score: np.ndarray, injected: np.ndarray, asked: float, several_cameras: bool
) -> tuple[Claim, FalseAlarms | None]:
    """That clips are wrong, by these log odds of the data set's own [n] and of those that were moved [m]."""
    if len(injected) < LEAST_INJECTED and not several_cameras:
        reason = f"{NO_CAMERAS}, and {len(injected)} clips were moved on purpose to show what features alone are worth"
        return Claim(CLIPS_OUT, asked, refused=reason), None
    if len(injected) < LEAST_INJECTED:
        reason = (
            f"{len(injected)} clips were moved on purpose in the scoring run, and {LEAST_INJECTED} are needed to show "
            "what a verdict on a clip is worth"
        )
        remedy = (
            "score with clips moved on purpose, as the scoring configurations do, on a set with identities that "
            "several cameras saw"
        )
        return Claim(CLIPS_OUT, asked, refused=reason, remedy=remedy), None
    alarms = estimate_false_alarms(score, [injected])
    if alarms is None:
        reason = f"{len(score)} clips of two images or more are too few to tell wrong ones from right ones"
        remedy = "judge a larger set, or look through the clips by hand"
        return Claim(CLIPS_OUT, asked, refused=reason, remedy=remedy), None
    floor, room = least_low(asked, CLIP_ROOM), most_right_altered(len(score), alarms.expected_errors)
    chosen, best = lowest_threshold(Beyond(score, alarms), asked, floor=floor, most_wrong=room)
    if chosen is not None:
        numbers = chosen.count, chosen.precision, chosen.low, chosen.high, chosen.threshold
        return Claim(CLIPS_OUT, asked, *numbers), alarms
    found, own = (0, 0) if best is None else (int((injected >= best.threshold).sum()), best.count)
    reason = (
        f"where verdicts would be surest {found} of the {len(injected)} clips that were moved on purpose are found, "
        f"and {own} of the data set's {len(score)}, {_shown(best)} of which is shown to be wrong "
        f"where {100 * asked:.0f} % is asked for"
    )
    remedy = "look through the clips by hand, ask for less precision, or score with a better model"
    return Claim(CLIPS_OUT, asked, refused=reason, remedy=remedy), alarms


def claim_names(
    claim: Claim,
    alarms: FalseAlarms | None,
    score: np.ndarray,
    injected: np.ndarray,
    right: np.ndarray,
    asked: float,
) -> Claim:
    """That clips that are surely wrong, by their claim, show whom they are said to; by these log odds."""
    if claim.threshold is None or alarms is None:
        return replace(claim, kind=CLIPS)
    candidates = _Named(score, alarms.right_beyond(claim.threshold), injected, right)
    chosen, best = lowest_threshold(candidates, asked, floor=least_low(asked, CLIP_ROOM))
    if chosen is not None:
        return Claim(CLIPS, asked, chosen.count, chosen.precision, chosen.low, chosen.high, chosen.threshold)
    found, named = (0, 0) if best is None else candidates.names(best.threshold)
    return Claim(
        CLIPS,
        asked,
        refused=f"of {len(injected)} clips that were moved on purpose and found the right identity comes first for "
        f"{int(right.sum())}; where names are surest for {named} of {found}, which shows {_shown(best)} "
        f"of the verdicts to be right where {100 * asked:.0f} % is asked for",
        remedy="move more clips, ask for less precision, or score with a better model",
    )


def _shown(best: Worth | None) -> str:
    return "none" if best is None or best.low < 0.005 else f"no more than {100 * best.low:.0f} %"
