"""From a complete recording to the files of a scored run."""

import hashlib
import logging
from pathlib import Path
from typing import Any

import torch
from fastreid.utils import comm

from fastreid_prune.plugin.recording import Recorder, write_trajectory

logger = logging.getLogger("fastreid.prune")


def finish_run(cfg, recorder: Recorder, dataset, folder: Path, run: str) -> None:
    """Write the trajectory of all ranks, score it, and prune where ``PRUNE.RATIO`` asks for it."""
    from fastreid_prune.manifest import prune_run
    from fastreid_prune.purify import judge_run
    from fastreid_prune.scored_run.run_files import RunFiles

    group = gloo_group() if comm.get_world_size() > 1 else None
    write_trajectory(recorder, folder / "trajectory", describe(cfg, dataset, run), group)
    if comm.is_main_process():
        scored = RunFiles.open(folder)
        scored.scored()
        logger.info(f"Scored run: {folder}")
        if cfg.PRUNE.PURIFY.CALIBRATE or cfg.PRUNE.PURIFY.ENABLED:
            for sentence in judge_run(
                scored, rule=cfg.PRUNE.PURIFY.RULE, precision=cfg.PRUNE.PURIFY.PRECISION
            ).sentences:
                logger.info(sentence)
        if cfg.PRUNE.RATIO > 0 or cfg.PRUNE.PURIFY.ENABLED:
            summary = prune_run(
                scored, cfg.PRUNE.RATIO, cfg.PRUNE.METHOD, score=cfg.PRUNE.SCORE or None,
                purify=cfg.PRUNE.PURIFY.ENABLED, keep_per_identity=cfg.PRUNE.KEEP_PER_IDENTITY,
                keep_per_camera=cfg.PRUNE.KEEP_PER_CAMERA,
            )  # fmt: skip
            logger.info(f"{summary.regime.words} {summary.regime.expectation(cfg.PRUNE.RATIO)}")
            path = summary.manifest.path
            logger.info(f"Manifest: {path}; train on it with PRUNE.MANIFEST {path}")
    comm.synchronize()


def gloo_group():
    """A process group of all ranks that takes tensors in host memory."""
    return comm._get_global_gloo_group()


def describe(cfg, dataset, run: str) -> dict[str, Any]:
    """What ``meta.json`` says of the run besides the recorder's own."""
    import fastreid
    import torchvision

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
