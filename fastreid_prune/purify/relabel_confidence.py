"""Whether the suggested identity is the right one: general odds, bent to the names met among planted errors."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

# no name is surer than this
_MOST = 0.995
# how far planted names may bend the general odds: standard deviations of an offset and of a factor's logarithm
_SHIFT, _BEND = 1.0, 0.3


@dataclass(frozen=True)
class RelabelConfidence:
    """How general log odds are bent to one run.

    Attributes:
        factor, offset: of the log odds.
    """

    factor: float = 1.0
    offset: float = 0.0

    def __call__(self, odds: np.ndarray) -> np.ndarray:
        """[N], the chance that the suggested identity is right if the label is wrong, of log odds [N]."""
        return _MOST * expit(self.factor * odds + self.offset)


def fit_relabel_confidence(odds: np.ndarray, right: np.ndarray, clean_share: float) -> RelabelConfidence:
    """Bend the odds to the names of switched samples, by maximum a posteriori.

    Of a switched sample the right identity is known only as far as the data set's own label of it was right: the
    suggestion is met with the chance of that times the chance that it is right.

    Args:
        odds: [S] float64, log odds that the suggested identity is right, by general weights.
        right: [S] bool, it is the one that the data set gives.
        clean_share: the share of the data set's samples whose label is right, in (0, 1].
    """

    def loss(bent: np.ndarray) -> float:
        offset, bend = bent
        met = clean_share * RelabelConfidence(np.exp(bend), offset)(odds)
        fits = np.log(np.maximum(met[right], 1e-9)).sum() + np.log1p(-met[~right]).sum()
        return (offset / _SHIFT) ** 2 / 2 + (bend / _BEND) ** 2 / 2 - fits

    offset, bend = minimize(loss, np.zeros(2), method="BFGS").x
    return RelabelConfidence(float(np.exp(bend)), float(offset))
