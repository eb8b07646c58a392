"""The judge as a rule among others: all the evidence of a run, believed as far as injected errors bear it out."""

from fastreid_prune.purify.judge import Judgement, assess
from fastreid_prune.purify.registry import Ruling, rule
from fastreid_prune.purify.summary_text import sentences
from fastreid_prune.trajectory import Trajectory

UNCALIBRATED = "uncalibrated"


@rule(
    "judge",
    source="this package",
    direction="soft labels, neighbours and prototypes together, as far as injected errors bear it out",
)
def by_the_judge(trajectory: Trajectory, precision: float) -> Ruling:
    """See :func:`.judge.assess`."""
    return _ruling(assess(trajectory, precision=precision))


@rule(
    UNCALIBRATED,
    source="this package",
    direction="as judge; where no errors were injected, verdicts that nothing vouches for",
)
def at_own_word(trajectory: Trajectory, precision: float) -> Ruling:
    """See :func:`.judge.assess`, ``uncalibrated``."""
    return _ruling(assess(trajectory, precision=precision, uncalibrated=True))


def _ruling(judgement: Judgement) -> Ruling:
    return Ruling(
        verdicts=judgement.verdicts,
        wrong=judgement.wrong_probability,
        outlier=judgement.outlier_probability,
        thresholds=judgement.summary.to_json(),
        sentences=sentences(judgement.summary),
    )
