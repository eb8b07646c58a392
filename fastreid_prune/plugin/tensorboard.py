"""What a scored run found, through fastreid's own event storage: TensorBoard shows it beside the losses."""

import logging
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fastreid.utils.events import TensorboardXWriter, get_event_storage

from fastreid_prune.scored_run.run_files import RunFiles
from fastreid_prune.scored_run.score_table import ScoreTable

logger = logging.getLogger("fastreid.prune")

SUSPECTS, BINS, HEIGHT = 16, 60, 192


def put_findings(folder: Path, root: str) -> None:
    """Put a run's score histograms and its first suspects into the current event storage.

    ``scores/<method>`` are histograms; ``suspects/01_…`` images, the surest first, named by the given identity
    and the one suggested. Images that cannot be read are left out.

    Args:
        folder: of the scored run.
        root: the folder that file names are relative to.
    """
    from fastreid.data.data_utils import read_image

    storage, table = get_event_storage(), RunFiles.open(folder).table
    for name, values in table.scores.items():
        finite = torch.from_numpy(values[np.isfinite(values)].astype(np.float32))
        if len(finite):
            storage.put_histogram(f"scores/{name}", finite, bins=BINS)
    for place, row in enumerate(suspects(table)[:SUSPECTS], start=1):
        try:
            image = read_image(str(Path(root) / table.file_name[row]))
        except Exception as error:
            logger.warning(f"{table.file_name[row]}: not shown in TensorBoard ({error}).")
            continue
        image.thumbnail((HEIGHT, HEIGHT))
        pixels = np.asarray(image.convert("RGB")).transpose(2, 0, 1)
        storage.put_image(f"suspects/{place:02}_{_name(table, row)}", np.ascontiguousarray(pixels))


def write_findings(trainer: Any) -> None:
    """Have the trainer's TensorBoard writers write now: fastreid's write nothing after the last epoch."""
    from fastreid.engine.hooks import PeriodicWriter

    for hook in trainer._hooks:
        for writer in hook._writers if isinstance(hook, PeriodicWriter) else []:
            if isinstance(writer, TensorboardXWriter):
                writer.write()


def suspects(table: ScoreTable) -> np.ndarray:
    """Rows of the samples judged wrong, the surest first; of a run that nobody judged, of those to whose given
    identity another was preferred on average over the training (the AUM below 0), the clearest first.
    """
    if table.judged:
        found = np.flatnonzero((table.verdicts.mislabelled | table.verdicts.outlier) & ~table.unreadable)
        worth = table.verdicts.confidence
    else:
        worth = table.scores.get("aum", np.zeros(len(table)))
        found = np.flatnonzero(worth > 0)
    return found[np.lexsort((table.file_name[found].astype(str), -np.nan_to_num(worth[found])))]


def _name(table: ScoreTable, row: int) -> str:
    verdicts = table.verdicts
    told = f"{table.pid[row]}_{verdicts.verdict[row]}_{verdicts.suggested_pid[row]}".rstrip("_")
    return re.sub(r"[^\w.-]", "_", told, flags=re.ASCII)
