"""The judge as a rule among others: all the evidence of a run, believed as far as injected errors bear it out."""

from fastreid_prune.purify.judge import assess
from fastreid_prune.purify.registry import Ruling, rule
from fastreid_prune.purify.summary_text import sentences
from fastreid_prune.trajectory import Trajectory


@rule(
    "judge",
    source="this package",
    direction="soft labels, neighbours and prototypes together, as far as injected errors bear it out",
)
def by_the_judge(trajectory: Trajectory, precision: float) -> Ruling:
    """See :func:`.judge.assess`."""
    judgement = assess(trajectory, precision=precision)
    return Ruling(
        verdicts=judgement.verdicts,
        wrong=judgement.wrong_probability,
        outlier=judgement.outlier_probability,
        thresholds=judgement.summary.to_json(),
        sentences=sentences(judgement.summary),
    )
