"""Which recorder a scoring run has, where it keeps its files, and how its trajectory is written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch.nn.functional as F
from fastreid.utils import comm
from torch import nn
from yacs.config import CfgNode

from fastreid_prune.plugin.heads import OnLogits, linear_classifier
from fastreid_prune.trajectory import FeatureRecorder, LogitRecorder, Samples
from fastreid_prune.trajectory.ranks import merge_feature_ranks, merge_ranks, merge_whole

Recorder = LogitRecorder | FeatureRecorder


def make_recorder(cfg: CfgNode, samples: Samples, head: str, folder: Path) -> Recorder:
    """The recorder that ``PRUNE.CAPTURE`` asks for, of a run with the ``prune`` folder ``folder``.

    What it writes as it goes is in the trajectory's folder; on several ranks it is beside their states, to be merged.
    """
    classes = cfg.MODEL.HEADS.NUM_CLASSES
    alone = comm.get_world_size() == 1
    own = folder / "trajectory" if alone else folder / "state" / f"rank{comm.get_rank()}"
    if cfg.PRUNE.CAPTURE.FACTORED:
        return FeatureRecorder(len(samples), classes, own, samples=samples, head=head)
    whole = own / "logits" if cfg.PRUNE.CAPTURE.KEEP_LOGITS else None
    return LogitRecorder(len(samples), classes, samples=samples, head=head, folder=folder, keep_logits=whole)


def clean_recording(recorder: Recorder, head: nn.Module) -> OnLogits:
    """What takes the logits and features of one clean pass, with the head's weights as they are now."""
    if isinstance(recorder, LogitRecorder):
        return recorder.update
    weight, of_length_one = linear_classifier(head)
    recorder.begin_epoch(weight)

    def record(sample_index: Any, logits: Any, labels: Any, features: Any) -> None:
        features = F.normalize(features) if of_length_one else features
        recorder.update(sample_index, features, labels, logits)

    return record


def write_trajectory(recorder: Recorder, folder: Path, meta: Mapping[str, Any], group: Any) -> None:
    """Write what all ranks recorded into ``folder``; ``group`` takes tensors in host memory."""
    alone = comm.get_world_size() == 1
    if isinstance(recorder, FeatureRecorder):
        recorder.save(meta) if alone else merge_feature_ranks(recorder, folder, meta, group)
    elif alone:
        recorder.save(folder, meta)
    else:
        merge_ranks(recorder, folder, meta, group)
        if recorder.per_epoch is not None:
            merge_whole(recorder, folder / "logits", group)
