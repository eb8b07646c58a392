"""The general weights: how much each piece of evidence says, learned from planted errors in many runs.

``tools/fit_general_weights.py`` made ``general_weights.json`` and says from which runs.
"""

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastreid_prune.purify.calibration import Weights
from fastreid_prune.purify.evidence import COLUMNS, WEIGHED

FILE = Path(__file__).with_name("general_weights.json")
# what tells whether the suggested identity is the right one
NAME_COLUMNS = ("gap", "lead", "won", "sure", "rival", "agreed")


@dataclass(frozen=True)
class General:
    """Weights for the scaled evidence of any run.

    Attributes:
        weights: of the classes clean, wrong label and outlier, for the columns ``WEIGHED``.
        name: [6], of ``NAME_COLUMNS``, and ``name_offset``: the log odds that the suggested identity of a wrong
            label is the right one.
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
        if values["columns"] != list(WEIGHED) or values["name_columns"] != list(NAME_COLUMNS):
            raise ValueError(f"{path}: weights of other columns than purify.evidence has: fit them anew")
        weights = Weights(np.array(values["coefficients"]), np.array(values["intercepts"]))
        return cls(weights, np.array(values["name"]), values["name_offset"], values["about"])

    def write(self, path: Path) -> None:
        """Write what :meth:`read` reads."""
        values = {
            "about": self.about,
            "columns": list(WEIGHED),
            "coefficients": self.weights.coefficients.round(4).tolist(),
            "intercepts": self.weights.intercepts.round(4).tolist(),
            "name_columns": list(NAME_COLUMNS),
            "name": self.name.round(4).tolist(),
            "name_offset": round(self.name_offset, 4),
        }
        path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")

    def log_likelihood(self, scaled: np.ndarray) -> np.ndarray:
        """[N, 3] for scaled columns [N, F] of all the evidence; that of a clean sample is 0."""
        return self.weights.log_likelihood(scaled[:, [COLUMNS.index(name) for name in WEIGHED]])

    def name_odds(self, scaled: np.ndarray) -> np.ndarray:
        """[N] log odds for scaled columns [N, F] that the suggested identity is right where the label is wrong."""
        return scaled[:, [COLUMNS.index(name) for name in NAME_COLUMNS]] @ self.name + self.name_offset


@functools.cache
def general() -> General:
    """The weights of this package."""
    return General.read()
