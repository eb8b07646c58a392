"""Data sets whose errors are known: planting errors into a data set, and the file that says what is true of it."""

from fastreid_prune.lab.testbed.planting import InjectedErrors, plant

__all__ = ["InjectedErrors", "plant"]
