"""What training says about each sample: recorded in any PyTorch loop, kept in files, merged over ranks and runs."""

from fastreid_prune.trajectory.recorder import LogitRecorder
from fastreid_prune.trajectory.records import EpochRecords
from fastreid_prune.trajectory.samples import Samples
from fastreid_prune.trajectory.store import Trajectory, load_trajectory, save_trajectory

__all__ = ["EpochRecords", "LogitRecorder", "Samples", "Trajectory", "load_trajectory", "save_trajectory"]
