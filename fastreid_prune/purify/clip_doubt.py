"""Doubt about clips: as many as are wrong by estimate and have no verdict, the most doubted.

How many labels are wrong is known better than which ones: what is doubted wrongly and what is missed weigh each other
up. So where verdicts end, since none is sure enough any more, doubt goes on down to the number of errors that the
scores tell of (:mod:`.false_alarms`). No precision is claimed of it.
"""

from collections.abc import Sequence

import numpy as np

from fastreid_prune.purify.false_alarms import FalseAlarms
from fastreid_prune.purify.injected_doubt import most_doubted


def in_doubt(
    score: np.ndarray,
    own: np.ndarray,
    alarms: FalseAlarms | None,
    changed: Sequence[np.ndarray] = (),
    judged_from: float = np.inf,
) -> np.ndarray:
    """Which clips are judged wrong or in doubt; none is that is more likely right.

    Args:
        score: [K] float64, log odds that the label that the data set gives is wrong.
        own: [K] bool, clips of the data set that nothing was done to.
        alarms: the right labels among them; None where too little is known.
        changed: [K] bool each, clips that the scoring run gave a wrong label, all in one way: as large a share of them.
        judged_from: the score from which on others are judged wrong.

    Returns:
        [K] bool.
    """
    if alarms is None:
        return np.zeros(len(score), bool)
    first = np.sort(score[own & (score > 0)])[::-1][: int(alarms.expected_errors)]
    least = float(first[-1]) if len(first) else np.inf
    result = own & (score >= least)
    for rows in changed:
        result |= most_doubted(score, rows, alarms.expected_errors / own.sum(), min(least, judged_from))
    return result
