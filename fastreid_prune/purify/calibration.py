"""From evidence to probabilities.

Two steps. General weights, the same for every run, turn the scaled evidence into two numbers: how much more likely
it is under a wrong label, and for an outlier, than for a clean sample. An adaptation of six parameters then bends
these two to the run at hand, and with it come the shares of the three classes in the data set, by maximum likelihood:
the data set's own samples are a mixture of the three, the planted errors are drawn from the two kinds of error (Qin,
Annals of Statistics 27, 1999: a mixture with samples of its parts, densities linked by exponential tilts).

All this orders the evidence, and gives each verdict a probability; what the verdicts are worth is for
:mod:`.claims` to say. Where nothing was planted, the shares alone are found, by expectation maximisation over the
samples themselves (Saerens, Latinne and Decaestecker, Neural Computation 2002).
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

CLEAN_CLASS, WRONG_CLASS, OUTLIER_CLASS = range(3)
NUM_FOLDS = 5
_SPREADS = 4.0
_LEAST_SHARE = 1e-4
_FIRST_GUESS = np.array([0.9, 0.07, 0.03])
# how far planted errors may bend the general weights, as a standard deviation of a factor of 1, and of an offset
_BEND, _SHIFT = 0.3, 2.0
# what is believed of the shares beforehand, as so many further samples of each class: wrong labels are more common than
# outliers
_BEFORE = np.array([1.0, 7.0, 3.0])
# of the data set's own samples, those that an adaptation is fitted to at most
MOST_OWN = 100_000


@dataclass(frozen=True)
class Scale:
    """What is usual in this run: columns are measured from the median, in half-widths of the middle half.

    Attributes:
        middle, width: [F] float64.
    """

    middle: np.ndarray
    width: np.ndarray

    @classmethod
    def of(cls, columns: np.ndarray) -> "Scale":
        """The scale of columns [N, F]."""
        low, middle, high = np.nanquantile(columns, [0.25, 0.5, 0.75], axis=0)
        return cls(middle, np.maximum((high - low) / 2, 1e-6))

    def __call__(self, columns: np.ndarray) -> np.ndarray:
        """[N, F], logarithmic beyond a few widths, so that no single column can shout; 0 where not known."""
        z = (columns - self.middle) / self.width
        far = np.abs(z) > _SPREADS
        z = np.where(far, np.sign(z) * (_SPREADS + np.log1p(np.maximum(np.abs(z) - _SPREADS, 0))), z)
        return np.nan_to_num(z)


@dataclass(frozen=True)
class Weights:
    """Of columns: log p(columns | class) up to what is common to the classes.

    Attributes:
        coefficients: [3, F].
        intercepts: [3].
    """

    coefficients: np.ndarray
    intercepts: np.ndarray

    def log_likelihood(self, columns: np.ndarray) -> np.ndarray:
        """[N, 3] for columns [N, F]; that of a clean sample is 0."""
        result = columns @ self.coefficients.T + self.intercepts
        return result - result[:, :1]


@dataclass(frozen=True)
class Adaptation:
    """How log likelihoods by general weights are bent to one run.

    Attributes:
        factors: [2, 2], of the two log likelihoods (wrong label, outlier) in each of the two.
        offsets: [2].
    """

    factors: np.ndarray
    offsets: np.ndarray

    def __call__(self, log_likelihood: np.ndarray) -> np.ndarray:
        """[N, 3], bent; that of a clean sample stays 0."""
        bent = log_likelihood[:, 1:] @ self.factors.T + self.offsets
        return np.c_[np.zeros(len(bent)), bent]


@dataclass(frozen=True)
class Adapted:
    """What :func:`adapt` finds.

    Attributes:
        adaptation: how the log likelihoods are bent.
        share: [3], of clean, wrong labels and outliers in the data set.
    """

    adaptation: Adaptation
    share: np.ndarray


def adapt(own: np.ndarray, wrong: np.ndarray, outliers: np.ndarray) -> Adapted:
    """Fit an adaptation, and the shares of the classes in the data set, to what was planted.

    Args:
        own: [N, 3] float64, log likelihoods of the data set's own samples, by general weights; of very many, a sample
            of :data:`MOST_OWN` tells eight numbers as well.
        wrong: [S, 3], of the switched samples, as trained.
        outliers: [K, 3], of the composed outliers; K may be 0.
    """
    if len(own) > MOST_OWN:
        own = own[np.random.default_rng(len(own)).choice(len(own), MOST_OWN, replace=False)]
    rows = np.concatenate([own, wrong, outliers])[:, 1:]
    source = np.repeat(np.arange(3), [len(own), len(wrong), len(outliers)])
    count = np.array([max(number, 1e-9) for number in np.bincount(source, minlength=3)])

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        factors, offsets, share = _unpack(flat)
        tilt = np.c_[np.zeros(len(rows)), rows @ factors.T + offsets]
        # of each sample: the densities in the mixture, and the chance of each source, up to what is common
        parts = tilt + np.log(share)
        mixture = logsumexp(parts, axis=1)
        sources = np.c_[mixture, tilt[:, 1:]] + np.log(count)
        log_p = sources - logsumexp(sources, axis=1)[:, None]
        error = -np.exp(log_p)
        error[np.arange(len(rows)), source] += 1
        within = np.exp(parts - mixture[:, None])
        towards = error[:, :1] * within[:, 1:] + error[:, 1:]
        away = factors - np.eye(2)
        value = (
            -log_p[np.arange(len(rows)), source].sum()
            - _BEFORE @ np.log(share)
            + (away**2).sum() / (2 * _BEND**2)
            + (offsets**2).sum() / (2 * _SHIFT**2)
        )
        of_shares = error[:, 0] @ (within - share) + _BEFORE - _BEFORE.sum() * share
        gradient = np.r_[
            (away / _BEND**2 - towards.T @ rows).ravel(), offsets / _SHIFT**2 - towards.sum(0), -of_shares[1:]
        ]
        return value, gradient

    start = np.r_[np.eye(2).ravel(), np.zeros(2), np.log(_FIRST_GUESS[1:] / _FIRST_GUESS[0])]
    found = minimize(loss, start, jac=True, method="L-BFGS-B").x
    factors, offsets, share = _unpack(found)
    return Adapted(Adaptation(factors, offsets), share)


def _unpack(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Factors [2, 2], offsets [2] and shares [3] of eight free numbers."""
    return flat[:4].reshape(2, 2), flat[4:6], softmax(np.r_[0.0, flat[6:]])


def shares(log_likelihood: np.ndarray, rounds: int = 500) -> np.ndarray:
    """The shares [3] of clean, wrong labels and outliers that explain log likelihoods [N, 3] best."""
    share = _FIRST_GUESS
    for _ in range(rounds):
        new = np.maximum(posterior(log_likelihood, share).mean(0), _LEAST_SHARE)
        new /= new.sum()
        if np.abs(new - share).max() < 1e-6:
            break
        share = new
    return share


def posterior(log_likelihood: np.ndarray, share: np.ndarray) -> np.ndarray:
    """p(class | columns), [N, 3] float64, where the classes have these shares."""
    joint = log_likelihood + np.log(share)
    joint -= joint.max(1, keepdims=True)
    joint = np.exp(joint)
    return joint / joint.sum(1, keepdims=True)


def folds(count: int) -> np.ndarray:
    """A fold [N] int in [0, NUM_FOLDS) for each of N samples, at random but always the same."""
    return np.random.default_rng([0, count]).permutation(count) % NUM_FOLDS
