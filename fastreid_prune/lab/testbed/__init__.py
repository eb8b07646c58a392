"""Data sets whose errors are known: the file that says what is true, and planting errors into a data set."""

from fastreid_prune.lab.testbed.planting import InjectedErrors, plant
from fastreid_prune.lab.testbed.truth import TruthRow, read_truth, write_truth

__all__ = ["InjectedErrors", "TruthRow", "plant", "read_truth", "write_truth"]
