"""From evidence to probabilities, by the errors that were planted into the run.

A multinomial logistic regression tells clean samples, switched labels and composed outliers apart. Its shares of
the three are ours, not the data set's: the data set's own are found by expectation maximisation over the
samples themselves (Saerens, Latinne and Decaestecker, Neural Computation 2002), and make its scores posteriors.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

CLEAN_CLASS, WRONG_CLASS, OUTLIER_CLASS = range(3)
_SPREADS = 4.0
_REGULARISATION = 1.0
_FOLDS = 5
_LEAST_SHARE = 1e-4


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
        """[N, F], logarithmic beyond a few widths, so that no single column can shout."""
        z = (columns - self.middle) / self.width
        far = np.abs(z) > _SPREADS
        return np.where(far, np.sign(z) * (_SPREADS + np.log1p(np.maximum(np.abs(z) - _SPREADS, 0))), z)


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
        """[N, 3] for scaled columns [N, F]."""
        return scaled @ self.coefficients.T + self.intercepts


def fit_weights(scaled: np.ndarray, kind: np.ndarray, outlier_like: np.ndarray | None = None) -> Weights:
    """Fit the three classes, each counting as much as the others.

    The samples called clean hold the data set's own errors: those that look like one are left out and the fit
    is made again.

    Args:
        scaled: [N, F] float64.
        kind: [N] int, 0 for the data set's own samples, 1 for switched labels, 2 for composed outliers.
    """
    keep = np.ones(len(kind), bool)
    for _ in range(3):
        model = LogisticRegression(C=_REGULARISATION, class_weight="balanced", max_iter=2000)
        model.fit(scaled[keep], kind[keep])
        weights = Weights(model.coef_, model.intercept_)
        own = kind == CLEAN_CLASS
        likelihood = weights.log_likelihood(scaled)
        probability = posterior(likelihood, shares(likelihood[own]))
        keep = ~own | (probability[:, CLEAN_CLASS] > 0.5)
    return weights


def shares(log_likelihood: np.ndarray, rounds: int = 500) -> np.ndarray:
    """The shares [3] of clean, wrong labels and outliers that explain log likelihoods [N, 3] best."""
    share = np.array([0.9, 0.07, 0.03])
    for _ in range(rounds):
        new = np.maximum(posterior(log_likelihood, share).mean(0), _LEAST_SHARE)
        new /= new.sum()
        if np.abs(new - share).max() < 1e-7:
            break
        share = new
    return share


def posterior(log_likelihood: np.ndarray, share: np.ndarray) -> np.ndarray:
    """p(class | columns), [N, 3] float64, where the classes have these shares."""
    joint = log_likelihood + np.log(share)
    joint -= joint.max(1, keepdims=True)
    joint = np.exp(joint)
    return joint / joint.sum(1, keepdims=True)


def folds(count: int, seed: int = 0) -> np.ndarray:
    """A fold [N] int for each of N samples, at random."""
    return np.random.default_rng([seed, count]).permutation(count) % _FOLDS
