"""The strategies by name: one call that chooses, and says why."""

from dataclasses import dataclass

import numpy as np

from fastreid_prune import scores
from fastreid_prune.errors import FastreidPruneError, did_you_mean
from fastreid_prune.selection.pool import Pool
from fastreid_prune.selection.regime import Regime
from fastreid_prune.selection.registry import STRATEGIES, Task, get


def strategy_and_score(method: str, score: str | None = None) -> tuple[str, str]:
    """The strategy and the score that a method's name stands for: a score by itself is the paper's plain ranking.

    Args:
        method: the name of a strategy or of a score.
        score: what a strategy ranks by; entropy by default.

    Raises:
        FastreidPruneError: neither a strategy nor a score, or a score beside a method that is one.

    >>> strategy_and_score("el2n")
    ('hardest_first', 'el2n')
    >>> strategy_and_score("auto")
    ('auto', 'entropy')
    """
    if method in STRATEGIES:
        chosen = score or "entropy"
        scores.get(chosen)
        return method, chosen
    if method not in scores.available():
        hint = did_you_mean(method, [*STRATEGIES, *scores.available()])
        raise FastreidPruneError(
            f"method: {method!r} found, a strategy ({', '.join(STRATEGIES)}) or a score "
            f"({', '.join(scores.available())}) expected.{hint}"
        )
    if score is not None and score != method:
        raise FastreidPruneError(
            f"score: {score!r} found beside the method {method!r}, which ranks by itself. Give a strategy "
            f"({', '.join(STRATEGIES)}) with the score, or the method alone."
        )
    return "hardest_first", method


@dataclass(frozen=True, eq=False)
class Choice:
    """What was chosen.

    Attributes:
        keep: [N] bool.
        reason: [N] str, why a pruned sample went; "" for the others.
        strategy: the strategy's name.
        regime: how redundant the set is.
    """

    keep: np.ndarray
    reason: np.ndarray
    strategy: str
    regime: Regime


def choose(
    pool: Pool,
    ratio: float,
    strategy: str,
    *,
    entropy: np.ndarray,
    right: float | None = None,
    seed: int = 0,
    score: str = "entropy",
) -> Choice:
    """Choose the samples that stay.

    Args:
        pool: what there is to choose from.
        ratio: the fraction to prune of the candidates, in [0, 1).
        strategy: one of ``STRATEGIES``.
        entropy: [N] float, nats, of the soft labels: how much is learnt.
        right: the share of the samples on which the scoring model was right in its last epoch, if known.
        seed: of what chance decides.
        score: the name of the pool's scores, for the reasons.

    Raises:
        FastreidPruneError: no such strategy, or it needs features and there are none.
    """
    chosen = get(strategy)
    task = Task(pool, ratio, entropy, score, seed, right)
    answer = chosen.choose(task)
    return Choice(answer.keep, answer.reason, strategy, task.regime)
