"""How many right labels lie beyond a threshold of doubt: the number that every claim of precision rests on.

Nobody knows which of a data set's labels are right, so the right ones cannot be counted. Three things are known: how
all labels score, how injected wrong labels and synthetic outliers score, and that the scores of right labels thin
out: on the scale of log odds their upper tail falls about exponentially. That last is an assumption, and the only one
(ours; checked in ``benchmarks/proving_ground.py``). The tail of all labels is therefore explained by an exponential,
of any height and any rate, and by as many errors of the injected kinds as fit best. Where errors stand apart from the
tail they are recognised; where they overlap with it, many heights and rates explain the data as well, the bootstrap
scatters, and the pessimistic end of its interval says that nothing is known.

The bootstrap is Bayesian (Rubin, Annals of Statistics 9, 1981): all samples, and all injected errors, with random
weights.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.stats import beta

# about the shares of the right labels that lie in the tail; ours, chosen on the laboratory sets and those named in
# docs/verdicts.md
TAILS = (0.4, 0.2)
# both ends of an interval leave out this share: nine intervals of ten hold the truth
TAIL_SHARE = 0.05
# the recalls of injected errors at which their share bounds that of errors in the data set
_RECALLS = (0.3, 0.5, 0.7, 0.8, 0.9, 1.0)
# the tail never holds more than this share of all labels
_MOST_TAIL = 0.9
_BINS, _ROUNDS, _NEWTON = 100, 200, 2
# the least width of the kernel that smooths injected errors, in spans of the tail
_LEAST_WIDTH = 0.02
# fewer samples in the tail, or injected errors of the first kind, tell nothing of its shape
LEAST_IN_TAIL, LEAST_INJECTED = 30, 20


@dataclass(frozen=True)
class Tail:
    """The tail from one score on, parted; expected numbers, one for each draw of the bootstrap.

    Attributes:
        edges: [bins + 1] float64, of scores.
        right: [draws, bins] float64, expected right labels.
        errors: [kinds, draws, bins], expected errors that score as the injected ones of each kind do.
    """

    edges: np.ndarray
    right: np.ndarray
    errors: np.ndarray

    @cached_property
    def _right_from(self) -> np.ndarray:
        return _from(self.right)

    @cached_property
    def _errors_from(self) -> np.ndarray:
        return _from(self.errors)

    def right_beyond(self, threshold: float) -> np.ndarray:
        """[draws], expected right labels with this score or a higher one."""
        return self._at(self._right_from, threshold)

    def errors_beyond(self, threshold: float, kind: int) -> np.ndarray:
        """[draws], expected errors of a kind with this score or a higher one."""
        return self._at(self._errors_from[kind], threshold)

    def _at(self, beyond: np.ndarray, threshold: float) -> np.ndarray:
        last = len(self.edges) - 1
        place = float(np.interp(threshold, self.edges, np.arange(last + 1)))
        below = min(int(place), last - 1)
        return beyond[:, below] + (place - below) * (beyond[:, below + 1] - beyond[:, below])


@dataclass(frozen=True)
class FalseAlarms:
    """Expected numbers beyond a threshold, by tails that begin at different scores; one number for each draw.

    Attributes:
        tails: the longest first.
    """

    tails: tuple[Tail, ...]

    @property
    def start(self) -> float:
        """The score that the longest tail begins with; nothing is known of lower thresholds."""
        return float(self.tails[0].edges[0])

    @property
    def draws(self) -> int:
        """Of the bootstrap."""
        return len(self.tails[0].right)

    @property
    def expected_errors(self) -> float:
        """How many labels are wrong as injected errors of the first kind are, whatever they score; on average."""
        return float(self.errors_beyond(-np.inf, 0).mean())

    def right_beyond(self, threshold: float) -> np.ndarray:
        """[draws], expected right labels with this score or a higher one, by the tail that expects most."""
        found = [
            tail.right_beyond(threshold)
            for tail in self.tails
            if tail is self.tails[0] or tail.edges[0] <= threshold
        ]
        return max(found, key=lambda draws: float(draws.mean()))

    def mostly_right_below(self, share: float) -> float:
        """The score up to which at least this share of the labels is right, by the longest tail."""
        tail = self.tails[0]
        right = tail.right.mean(0)
        mixed = np.flatnonzero(right < share * (right + tail.errors.sum(0).mean(0)))
        return float(tail.edges[mixed[0]]) if len(mixed) else np.inf

    def error_share(self, score: np.ndarray) -> np.ndarray:
        """[n], the chance that a label with this score [n] is wrong, by the longest tail; 0 before its start."""
        tail = self.tails[0]
        right, errors = tail.right.mean(0), tail.errors.sum(0).mean(0)
        place = np.clip(np.searchsorted(tail.edges, score, side="right") - 1, 0, len(right) - 1)
        share = errors / np.maximum(right + errors, 1e-300)
        return np.where(score < self.start, 0.0, share[place])

    def errors_beyond(self, threshold: float, kind: int) -> np.ndarray:
        """[draws], expected errors of a kind with this score or a higher one, by the longest tail."""
        return self.tails[0].errors_beyond(threshold, kind)


def share_at_most(score: np.ndarray, injected: np.ndarray) -> float:
    """The most that the share of errors can be, if errors score as the injected ones do.

    Whatever the share e and the recall R(t) of a threshold, e R(t) cannot be more than the share of all labels beyond
    it. The recall is taken at the pessimistic end of its interval (Clopper and Pearson, Biometrika 26, 1934; six
    thresholds at once, Bonferroni).

    Args:
        score: [N] float64, of all labels.
        injected: [S] float64, of injected errors, judged without knowing them.

    >>> round(share_at_most(np.repeat([0.0, 10.0], [900, 100]), np.full(400, 10.0)), 2)
    0.13
    """
    found = np.ceil(np.array(_RECALLS) * len(injected)).astype(int)
    thresholds = np.sort(injected)[len(injected) - found]
    beyond = len(score) - np.searchsorted(np.sort(score), thresholds, side="left")
    level = TAIL_SHARE / len(found) / 2
    most = beta.ppf(1 - level, beyond + 1, np.maximum(len(score) - beyond, 1e-9))
    recall = beta.ppf(level, found, len(injected) - found + 1)
    return float(min((most / recall).min(initial=1.0), 1.0))


def estimate_false_alarms(
    score: np.ndarray,
    injected: list[np.ndarray],
    *,
    tails: tuple[float, ...] = TAILS,
    draws: int = 200,
    seed: int = 0,
) -> FalseAlarms | None:
    """Part the upper tail of the scores into right labels and errors.

    Args:
        score: [N] float64, the log odds of doubt of the data set's labels.
        injected: for each kind of injected errors their scores [S], judged without knowing them; the first kind decides
            where the tails begin.
        tails: about the shares of the right labels that lie in each tail, the longest first.
        draws: of the bootstrap.
        seed: of its chance.

    Returns:
        None where there is too little to tell.
    """
    if len(injected[0]) < LEAST_INJECTED or len(score) < LEAST_IN_TAIL:
        return None
    errors = share_at_most(score, injected[0])
    rng = np.random.default_rng([seed, len(score)])
    parted = []
    for share in tails:
        start = float(np.quantile(score, 1 - min(_MOST_TAIL, errors + share * (1 - errors))))
        kinds = [one[one >= start] for one in injected]
        if (score >= start).sum() < LEAST_IN_TAIL or len(kinds[0]) < LEAST_INJECTED / 2:
            break
        parted.append(_parted(score[score >= start], kinds, start, draws, rng))
    return FalseAlarms(tuple(parted)) if parted else None


def _parted(
    score: np.ndarray, kinds: list[np.ndarray], start: float, draws: int, rng: np.random.Generator
) -> Tail:
    end = max(score.max(), *(one.max(initial=start) for one in kinds))
    edges = np.linspace(start, end + 1e-6 * max(abs(end), 1.0), _BINS + 1)
    counts = _weighted_counts(score, edges, draws, rng)
    shapes = np.stack([_shapes(one, edges, draws, rng) for one in kinds])
    return Tail(edges, *_explained(counts, shapes))


def _explained(counts: np.ndarray, shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Right labels [draws, bins] and errors [kinds, draws, bins] that explain counts [draws, bins] best: expectation
    maximisation for Poisson counts, the right ones log-linear along the tail."""
    place = (np.arange(counts.shape[1]) + 0.5) / counts.shape[1]
    total = counts.sum(1, keepdims=True)
    slope = np.full((len(counts), 1), -8.0)
    right = _exponential(total * 0.7, slope, place)
    errors = 0.3 / len(shapes) * total * shapes
    for _ in range(_ROUNDS):
        share = counts / np.maximum(right + errors.sum(0), 1e-300)
        errors = (errors * share).sum(2, keepdims=True) * shapes
        belongs = right * share
        height = belongs.sum(1, keepdims=True)
        mean = (belongs @ place)[:, None] / np.maximum(height, 1e-300)
        for _ in range(_NEWTON):
            density = _exponential(1.0, slope, place)
            now = (density @ place)[:, None]
            spread = (density @ place**2)[:, None] - now**2
            # a tail does not rise
            slope = np.clip(slope + np.clip((mean - now) / np.maximum(spread, 1e-12), -5, 5), -500.0, 0.0)
        right = _exponential(height, slope, place)
    return right, errors


def _exponential(height: np.ndarray | float, slope: np.ndarray, place: np.ndarray) -> np.ndarray:
    density = np.exp(slope * place)
    return height * density / density.sum(1, keepdims=True)


def _weighted_counts(
    values: np.ndarray, edges: np.ndarray, draws: int, rng: np.random.Generator
) -> np.ndarray:
    """[draws, bins], of values with random weights of mean 1."""
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    return np.stack(
        [np.bincount(place, rng.exponential(size=len(values)), len(edges) - 1) for _ in range(draws)]
    )


def _shapes(values: np.ndarray, edges: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    """[draws, bins], the smoothed distribution of injected errors, of sum 1; 0 where there are none."""
    if not len(values):
        return np.zeros((draws, len(edges) - 1))
    low, high = np.quantile(values, [0.25, 0.75])
    span = edges[-1] - edges[0]
    width = 1.06 * min(values.std(), (high - low) / 1.34) * len(values) ** -0.2
    middle = (edges[1:] + edges[:-1]) / 2
    apart = (middle[:, None] - middle) / max(width, _LEAST_WIDTH * span)
    kernel = np.exp(-(apart**2) / 2)
    kernel /= kernel.sum(0)
    smooth = _weighted_counts(values, edges, draws, rng) @ kernel.T
    return smooth / smooth.sum(1, keepdims=True)


def _from(numbers: np.ndarray) -> np.ndarray:
    """[..., bins + 1], what is in each bin [..., bins] and those after it."""
    nothing = np.zeros((*numbers.shape[:-1], 1))
    return np.concatenate([numbers[..., ::-1].cumsum(-1)[..., ::-1], nothing], axis=-1)
