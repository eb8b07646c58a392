"""Grids of trainings: planned, executed here or on a cluster, resumed, and compared."""

from fastreid_prune.lab.experiments.grid import Grid, read_grid
from fastreid_prune.lab.experiments.sweep import SweepSummary, plan_sweep, sweep

__all__ = ["Grid", "SweepSummary", "plan_sweep", "read_grid", "sweep"]
