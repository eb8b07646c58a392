"""The general weights: how much each piece of evidence says, learned from planted errors in many runs.

Pieces are weighed by themselves and two by two: what a stranger's label is doubted by also depends on how like
anybody the stranger is.

``benchmarks/fit_general_weights.py`` made ``general_weights.json`` and says from which runs.
"""

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastreid_prune.purify.calibration import Weights
from fastreid_prune.purify.evidence import COLUMNS, PAIRED, WEIGHED

FILE = Path(__file__).with_name("general_weights.json")
# products of two scaled columns are brought to the size of one
_PAIR_SCALE = 6.0


def expand(scaled: np.ndarray) -> np.ndarray:
    """Of scaled columns [N, F] of all the evidence: those weighed, and the products of two, [N, 11 + 28].

    The products are of ``PAIRED`` columns, a column with itself among them, in the order of :func:`terms`.
    """
    single = scaled[:, [COLUMNS.index(name) for name in WEIGHED]]
    first, second = np.triu_indices(len(PAIRED))
    return np.c_[single, single[:, first] * single[:, second] / _PAIR_SCALE]


def terms() -> list[tuple[str, ...]]:
    """What each column of :func:`expand` is made of: one name or two."""
    first, second = np.triu_indices(len(PAIRED))
    single: list[tuple[str, ...]] = [(name,) for name in WEIGHED]
    return single + [(PAIRED[a], PAIRED[b]) for a, b in zip(first, second, strict=True)]


@dataclass(frozen=True)
class General:
    """Weights for the scaled evidence of any run.

    Attributes:
        weights: of the classes clean, wrong label and outlier, for what :func:`expand` gives.
        name: [15], of ``COLUMNS``, and ``name_offset``: the log odds that the suggested identity of a wrong label is
            the right one.
        about: what they were learned from.
    """

    weights: Weights
    name: np.ndarray
    name_offset: float
    about: str

    @classmethod
    def read(cls, path: Path = FILE) -> "General":
        """The weights in a file, those of this package by default."""
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["terms"] != [list(term) for term in terms()] or values["name_columns"] != list(COLUMNS):
            raise ValueError(f"{path}: weights of other columns than purify.evidence has: fit them anew")
        weights = Weights(np.array(values["coefficients"]), np.array(values["intercepts"]))
        return cls(weights, np.array(values["name"]), values["name_offset"], values["about"])

    def write(self, path: Path) -> None:
        """Write what :meth:`read` reads."""
        values = {
            "about": self.about,
            "terms": [list(term) for term in terms()],
            "coefficients": self.weights.coefficients.round(4).tolist(),
            "intercepts": self.weights.intercepts.round(4).tolist(),
            "name_columns": list(COLUMNS),
            "name": self.name.round(4).tolist(),
            "name_offset": round(self.name_offset, 4),
        }
        path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")

    def log_likelihood(self, scaled: np.ndarray) -> np.ndarray:
        """[N, 3] for scaled columns [N, F] of all the evidence; that of a clean sample is 0."""
        return self.weights.log_likelihood(expand(scaled))

    def name_odds(self, scaled: np.ndarray) -> np.ndarray:
        """[N] log odds for scaled columns [N, F] that the suggested identity is right where the label is wrong."""
        return scaled @ self.name + self.name_offset


@functools.cache
def general() -> General:
    """The weights of this package."""
    return General.read()
