"""What training says about each sample: recorded in any loop, kept in files, merged over ranks and runs."""

from fastreid_prune.trajectory.feature_recorder import FeatureRecorder
from fastreid_prune.trajectory.recorder import LogitRecorder
from fastreid_prune.trajectory.records import EpochRecords
from fastreid_prune.trajectory.runs import merge_runs
from fastreid_prune.trajectory.samples import Samples
from fastreid_prune.trajectory.state import load_state, save_state
from fastreid_prune.trajectory.store import Trajectory, load_trajectory, save_trajectory

__all__ = [
    "EpochRecords",
    "FeatureRecorder",
    "LogitRecorder",
    "Samples",
    "Trajectory",
    "load_state",
    "load_trajectory",
    "merge_runs",
    "save_state",
    "save_trajectory",
]
