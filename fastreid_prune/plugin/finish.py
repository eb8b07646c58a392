"""From a complete recording to the files of a scored run."""

import hashlib
import logging
from pathlib import Path
from typing import Any

import fastreid
import torch
import torchvision
from fastreid.utils import comm
from yacs.config import CfgNode

from fastreid_prune.manifest import prune_run
from fastreid_prune.plugin.config import NO_RULE
from fastreid_prune.plugin.ranks import wait_for_all
from fastreid_prune.plugin.recording import Recorder, write_trajectory
from fastreid_prune.purify import judge_run
from fastreid_prune.scored_run.run_files import RunFiles
from fastreid_prune.selection.dynamic import DYNAMIC

logger = logging.getLogger("fastreid.prune")


def finish_run(cfg: CfgNode, recorder: Recorder, dataset: Any, folder: Path, run: str, group: Any) -> None:
    """Write the trajectory of all ranks, score it, and prune where ``PRUNE.RATIO`` asks for it.

    Args:
        cfg: the run's configuration.
        recorder: this rank's.
        dataset: the training set, an :class:`.indexed.IndexedDataset`.
        folder: ``OUTPUT_DIR/prune``.
        run: the run's random name.
        group: of :func:`.ranks.patient_group`.
    """
    write_trajectory(recorder, folder / "trajectory", describe(cfg, dataset, run), group)
    if comm.is_main_process():
        scored = RunFiles.open(folder)
        scored.scored()
        logger.info(f"Scored run: {folder}")
        judges = cfg.PRUNE.PURIFY.RULE != NO_RULE
        if judges and (cfg.PRUNE.PURIFY.CALIBRATE or cfg.PRUNE.PURIFY.ENABLED):
            for sentence in judge_run(
                scored, rule=cfg.PRUNE.PURIFY.RULE, precision=cfg.PRUNE.PURIFY.PRECISION
            ).sentences:
                logger.info(sentence)
        chooses_by_files = cfg.PRUNE.METHOD not in DYNAMIC
        if chooses_by_files and (cfg.PRUNE.RATIO > 0 or cfg.PRUNE.PURIFY.ENABLED):
            summary = prune_run(
                scored, cfg.PRUNE.RATIO, cfg.PRUNE.METHOD, score=cfg.PRUNE.SCORE or None,
                purify=cfg.PRUNE.PURIFY.ENABLED, keep_per_identity=cfg.PRUNE.KEEP_PER_IDENTITY,
                keep_per_camera=cfg.PRUNE.KEEP_PER_CAMERA,
            )  # fmt: skip
            logger.info(f"{summary.regime.words} {summary.regime.expectation(cfg.PRUNE.RATIO)}")
            for sentence in summary.held:
                logger.warning(sentence)
            path = summary.manifest.path
            logger.info(f"Manifest: {path}; train on it with PRUNE.MANIFEST {path}")
    wait_for_all(group)


def describe(cfg: CfgNode, dataset: Any, run: str) -> dict[str, Any]:
    """What ``meta.json`` says of the run besides the recorder's own."""
    return {
        "dataset": list(cfg.DATASETS.NAMES),
        "mode": cfg.PRUNE.CAPTURE.MODE,
        "seed": cfg.PRUNE.SEED,
        "run": run,
        "config_digest": hashlib.sha256(cfg.dump().encode()).hexdigest(),
        "unreadable": dataset.unreadable,
        "calibration": getattr(dataset, "calibration", {}),
        "versions": {
            "fastreid": getattr(fastreid, "__version__", "unknown"),
            "torch": torch.__version__,
            "torchvision": torchvision.__version__,
        },
    }
