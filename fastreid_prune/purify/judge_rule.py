"""The judge as a rule among others: all the evidence of a run, believed as far as injected errors bear it out."""

from dataclasses import replace

from fastreid_prune.io.work import Work
from fastreid_prune.purify.clip_verdicts import judge_clips
from fastreid_prune.purify.judge import Judgement, assess
from fastreid_prune.purify.registry import Ruling, rule
from fastreid_prune.purify.summary_text import sentences
from fastreid_prune.scored_run.injected import InjectedErrors
from fastreid_prune.scored_run.verdicts import NEAR_DUPLICATE
from fastreid_prune.trajectory import Trajectory

UNCALIBRATED = "uncalibrated"


@rule(
    "judge",
    source="this package",
    direction="soft labels, neighbours and prototypes together, where injected errors show what that is worth",
)
def by_the_judge(trajectory: Trajectory, precision: float, work: Work) -> Ruling:
    """See :func:`.judge.assess`."""
    return _ruling(assess(trajectory, precision=precision, work=work), trajectory, precision, work)


@rule(
    UNCALIBRATED,
    source="this package",
    direction="as judge, but without injected errors: what the verdicts are worth is not known",
)
def at_own_word(trajectory: Trajectory, precision: float, work: Work) -> Ruling:
    """See :func:`.judge.assess`, ``uncalibrated``."""
    judgement = assess(trajectory, precision=precision, uncalibrated=True, work=work)
    return _ruling(judgement, trajectory, precision, work)


def _ruling(judgement: Judgement, trajectory: Trajectory, precision: float, work: Work) -> Ruling:
    verdicts, summary, more = judgement.verdicts, judgement.summary, []
    if trajectory.samples is not None:
        clips = judge_clips(trajectory, precision, verdicts, work=work)
        injected = InjectedErrors.of(trajectory)
        verdicts, more = clips.apply(verdicts), clips.sentences
        summary = replace(
            summary,
            claims=(*summary.claims, *clips.claims),
            mislabelled=int(verdicts.mislabelled.sum()),
            outliers=int(verdicts.outlier.sum()),
            in_doubt=int(verdicts.in_doubt.sum()),
            injected_in_doubt=int(verdicts.in_doubt[injected.moved[injected.dataset_rows]].sum()),
            near_duplicates=int((verdicts.verdict == NEAR_DUPLICATE).sum()),
            approximations=(*summary.approximations, *clips.approximations),
        )
    return Ruling(
        verdicts=verdicts,
        wrong=judgement.wrong_probability,
        outlier=judgement.outlier_probability,
        thresholds=summary.to_json(),
        sentences=[*sentences(summary), *more],
    )
