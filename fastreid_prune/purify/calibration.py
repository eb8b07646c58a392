"""From evidence to probabilities.

Two steps. General weights, the same for every run, turn the scaled evidence into two numbers: how much more likely
it is under a wrong label, and for an outlier, than for a clean sample. An adaptation of six parameters then fits
these two to the errors that were planted into the run at hand. The shares of the three classes in the data set are
not those of what was planted: they are found by expectation maximisation over the samples themselves (Saerens,
Latinne and Decaestecker, Neural Computation 2002).
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

CLEAN_CLASS, WRONG_CLASS, OUTLIER_CLASS = range(3)
_SPREADS = 4.0
_LEAST_SHARE = 1e-4
_FIRST_GUESS = np.array([0.9, 0.07, 0.03])
# how far planted errors may bend the general weights, as a standard deviation of a factor of 1, and of an offset
_BEND, _SHIFT = 0.5, 2.0
_ROUNDS = 10


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
    """Of the scaled columns: log p(columns | class) up to what is common to the classes.

    Attributes:
        coefficients: [3, F].
        intercepts: [3].
    """

    coefficients: np.ndarray
    intercepts: np.ndarray

    def log_likelihood(self, scaled: np.ndarray) -> np.ndarray:
        """[N, 3] for scaled columns [N, F]; that of a clean sample is 0."""
        result = scaled @ self.coefficients.T + self.intercepts
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


NO_ADAPTATION = Adaptation(np.eye(2), np.zeros(2))


def adapt(own: np.ndarray, wrong: np.ndarray, outliers: np.ndarray) -> Adaptation:
    """Fit an adaptation to planted errors.

    The data set's own samples hold errors that nobody named: they take part in each class as likely as they
    belong to it (expectation maximisation). Each class counts as much as the others, so that the result is
    a likelihood; the prior is no adaptation.

    Args:
        own: [N, 3] float64, log likelihoods of the data set's own samples, by general weights.
        wrong: [S, 3], of the switched samples, as trained.
        outliers: [K, 3], of the composed outliers; K may be 0.
    """
    planted = np.concatenate([wrong, outliers])[:, 1:]
    kind = np.repeat([WRONG_CLASS, OUTLIER_CLASS], [len(wrong), len(outliers)])
    result = NO_ADAPTATION
    rows = np.concatenate([own[:, 1:], planted])
    known = np.eye(3)[kind]
    for _ in range(_ROUNDS):
        bent = result(own)
        target = np.concatenate([posterior(bent, shares(bent)), known])
        # each class weighs what was planted of errors, however many samples are in it
        target *= (len(planted) / 2) / np.maximum(target.sum(0), 1e-9)
        previous, result = result, _most_likely(rows, target, result)
        if np.abs(previous.factors - result.factors).max() < 1e-3:
            break
    return result


def _most_likely(rows: np.ndarray, target: np.ndarray, start: Adaptation) -> Adaptation:
    total = target.sum(1)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        factors, offsets = flat[:4].reshape(2, 2), flat[4:]
        logits = np.c_[np.zeros(len(rows)), rows @ factors.T + offsets]
        logits -= logits.max(1, keepdims=True)
        log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        error = (np.exp(log_p) * total[:, None] - target)[:, 1:]
        away = factors - np.eye(2)
        value = (
            -(target * log_p).sum() + (away**2).sum() / (2 * _BEND**2) + (offsets**2).sum() / (2 * _SHIFT**2)
        )
        gradient = np.concatenate(
            [(error.T @ rows + away / _BEND**2).ravel(), error.sum(0) + offsets / _SHIFT**2]
        )
        return value, gradient

    found = minimize(loss, np.r_[start.factors.ravel(), start.offsets], jac=True, method="L-BFGS-B").x
    return Adaptation(found[:4].reshape(2, 2), found[4:])


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


def folds(count: int, seed: int = 0, number: int = 5) -> np.ndarray:
    """A fold [N] int for each of N samples, at random."""
    return np.random.default_rng([seed, count]).permutation(count) % number
