"""The strategies by name: one call that chooses, and says why."""

import difflib
from dataclasses import dataclass, replace

import numpy as np

from fastreid_prune import scores
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.selection.auto import FLOOR, automatic_order
from fastreid_prune.selection.easy_first import easy_first
from fastreid_prune.selection.near_copies import Collapse
from fastreid_prune.selection.pool import Pool
from fastreid_prune.selection.proportional import proportional
from fastreid_prune.selection.ranking import hardest_first
from fastreid_prune.selection.redundancy import collapse_pool, collapsed_first
from fastreid_prune.selection.regime import Regime, is_near, measure
from fastreid_prune.selection.stratified import stratified

# name -> what it does, in a few words
STRATEGIES = {
    "auto": "what verdicts doubt and near-copies first; then the easiest where much is learnt, else an even thinning",
    "redundancy_aware": "the closest pair of an identity loses its lower-scored image, in turn",
    "stratified": "every stratum of the score gives its share (coverage-centric, Zheng et al. 2023)",
    "proportional": "every identity gives the same share in every camera, by chance",
    "easy_first": "the highest-scored go: for little data (Sorscher et al. 2022)",
    "hardest_first": "the lowest-scored go: the paper's plain ranking",
}


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
        names = [*STRATEGIES, *scores.available()]
        near = difflib.get_close_matches(method, names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
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


DOUBTED = "mislabelled, an outlier or likelier wrong than right by its verdict"


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
    if strategy not in STRATEGIES:
        raise FastreidPruneError(f"strategy: {strategy!r} found, one of {', '.join(STRATEGIES)} expected.")
    collapsed = None if pool.features is None and strategy != "redundancy_aware" else collapse_pool(pool)
    regime = measure(pool, entropy, collapsed, right)
    if strategy == "auto":
        pool = replace(pool, keep_per_identity=max(pool.keep_per_identity, FLOOR))
        keep = pool.without_first(automatic_order(pool, ratio, regime, collapsed, seed), ratio)
    elif strategy == "redundancy_aware":
        keep = pool.without_first(collapsed_first(pool, collapsed), ratio)
    elif strategy == "stratified":
        keep = stratified(pool, ratio, seed=seed)
    elif strategy == "proportional":
        keep = proportional(pool, ratio, seed=seed)
    elif strategy == "easy_first":
        keep = easy_first(pool, ratio)
    else:
        keep = pool.without_first(hardest_first(pool.scores, pool.file_names)[::-1], ratio)
    reason = np.full(len(pool), "", object)
    gone = pool.candidates & ~keep
    reason[gone] = _words(strategy, ratio, regime, score)
    if collapsed is not None and (strategy == "redundancy_aware" or (strategy == "auto" and regime.known)):
        near = collapsed.rows if strategy == "redundancy_aware" else None
        _explain_copies(reason, gone, collapsed, regime, pool, score, near)
    if strategy == "auto" and pool.doubted is not None:
        reason[gone & pool.doubted] = DOUBTED
    return Choice(keep, reason, strategy, regime)


def _words(strategy: str, ratio: float, regime: Regime, score: str) -> str:
    percent = f"{100 * ratio:g} %"
    lowest = f"among the lowest {percent} by {score}"
    even = "drawn by chance, evenly from every identity and camera"
    return {
        "auto": even if regime.method(ratio) == "stratified" else f"low {score}, once near-copies are gone",
        "redundancy_aware": f"low {score}, nothing left of its identity to be near to",
        "stratified": f"its stratum of {score} has enough others",
        "proportional": even,
        "easy_first": f"among the highest {percent} by {score}",
        "hardest_first": lowest,
    }[strategy]


def _explain_copies(
    reason: np.ndarray,
    gone: np.ndarray,
    collapsed: Collapse,
    regime: Regime,
    pool: Pool,
    score: str,
    every: np.ndarray | None,
) -> None:
    """Say of near-copies whose they are; with ``every``, of all that collapsed."""
    is_copy = is_near(collapsed, regime.spread)
    for row, partner, similarity, copy in zip(
        collapsed.rows.tolist(),
        collapsed.partner.tolist(),
        collapsed.similarity.tolist(),
        is_copy,
        strict=True,
    ):
        if gone[row] and (copy or every is not None):
            name = str(pool.file_names[partner]).rsplit("/", 1)[-1]
            what = "near-copy of" if copy else "closest to"
            reason[row] = f"{what} {name} (similarity {similarity:.2f}), which has the higher {score}"
