"""How good the scoring model was, and what that means for what it says."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastreid_prune.purify.summary import Summary
from fastreid_prune.purify.summary_text import sentences
from fastreid_prune.report.source import Source
from fastreid_prune.trajectory.records import EpochRecords

# below these the soft label is closer to a guess than to a judgement; ours, from runs on real crops
WEAK_RANK1, GOOD_RANK1 = 25.0, 60.0
WEAK_AGREEMENT, GOOD_AGREEMENT = 0.5, 0.85
_LEVELS = ("weak", "fair", "good")
STILL_LEARNING = 0.05


@dataclass(frozen=True)
class ScoringModel:
    """The scoring model, in numbers and in words.

    Attributes:
        level: ``weak``, ``fair`` or ``good``.
        headline: one sentence.
        sentences: what it means for what the page shows.
        verdicts: what the judge's verdicts are worth, in its own words; empty where nobody judged.
        agreement: fraction of samples whose soft label's first identity is the given one.
        loss: [T] float64, the mean loss of each epoch in nats.
        accuracy: [T] float64, the fraction of visits at which the given label was predicted.
        results: name -> percent, of the run's own evaluation on identities that it was not trained with.
    """

    level: str
    headline: str
    sentences: list[str]
    verdicts: list[str]
    agreement: float
    loss: np.ndarray
    accuracy: np.ndarray
    results: dict[str, float]


def scoring_model(source: Source) -> ScoringModel:
    """Judge the model by its evaluation where the run has one, by how it fits the given labels, and by what the
    injected errors bear out: a model that tells none of them is weak, whatever else it can do."""
    agreement = source.soft.agreement(source.labels)
    results = source.record.evaluation
    rank1 = results.get("Rank-1")
    loss, accuracy = learning_curves(source.trajectory.epochs)
    if rank1 is None:
        level = _level(agreement, WEAK_AGREEMENT, GOOD_AGREEMENT)
    else:
        level = min(
            _level(rank1, WEAK_RANK1, GOOD_RANK1),
            _level(agreement, WEAK_AGREEMENT, 0.0),
            key=_LEVELS.index,
        )
    summary = _summary(source.table.thresholds)
    if summary is not None and not summary.good:
        # not good is what injected errors do not bear out, whatever else the model can do
        level = min(level, "fair" if summary.tells_injected else "weak", key=_LEVELS.index)
    return ScoringModel(
        level=level,
        headline={
            "weak": "The scoring model was weak. Read what follows as a list to look through, not to act on.",
            "fair": "The scoring model was fair. The order of the suspects can be relied on more than any one of them.",
            "good": "The scoring model was good. What errors there are stand near the top of the suspects.",
        }[level],
        sentences=_sentences(level, agreement, rank1, loss),
        verdicts=_verdicts(source.table.thresholds, summary),
        agreement=agreement,
        loss=loss,
        accuracy=accuracy,
        results=results,
    )


def learning_curves(epochs: EpochRecords) -> tuple[np.ndarray, np.ndarray]:
    """Mean loss (nats) and fraction of right predictions over the visits of each epoch, [T] each."""
    visits = epochs.visits.sum(axis=1)
    weighted = np.nansum(epochs.loss * epochs.visits, axis=1, dtype=np.float64)
    have = np.maximum(visits, 1)
    loss = np.where(visits > 0, weighted / have, np.nan)
    return loss, np.where(visits > 0, epochs.correct.sum(axis=1) / have, np.nan)


def _summary(thresholds: dict[str, Any]) -> Summary | None:
    """What the judge measured; None where another rule, or another version, gave the verdicts."""
    try:
        return Summary.from_json(thresholds)
    except (TypeError, KeyError):
        return None


def _verdicts(thresholds: dict[str, Any], summary: Summary | None) -> list[str]:
    if thresholds.get("rule", "judge") != "judge":
        return [
            f"The verdicts are by the rule {thresholds['rule']!r}: nothing here tells what they are worth."
        ]
    if summary is not None:
        return sentences(summary)
    return (
        ["These verdicts were made by another version: judge the run again to see what they are worth."]
        if thresholds
        else []
    )


def _level(value: float, weak: float, good: float) -> str:
    return "weak" if not value >= weak else "good" if value >= good else "fair"


def _sentences(level: str, agreement: float, rank1: float | None, loss: np.ndarray) -> list[str]:
    said = [
        f"Its soft label names the given identity first for {100 * agreement:.1f} % of the samples; "
        f"the other {100 * (1 - agreement):.1f} % are wrong labels, hard samples and its own mistakes together."
    ]
    if rank1 is None:
        said.append(
            "The run holds no evaluation on other identities, so how far its judgement carries is not known."
        )
    if level != "good":
        said.append(
            "For scale: on Market-1501 crops, models that reach a Rank-1 of 47 to 49 % disagreed with 99 % of "
            "the wrong labels, and were right in fewer than half of their disagreements."
        )
    if len(loss) > 2 and np.isfinite(loss[-2:]).all() and loss[-1] < (1 - STILL_LEARNING) * loss[-2]:
        said.append("Its loss was still falling at the last epoch: more epochs would sharpen it.")
    if level == "weak":
        said.append(
            "What helps most: pretrained weights, more epochs, a higher resolution. Then score again."
        )
    return said
