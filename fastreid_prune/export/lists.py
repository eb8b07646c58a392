"""The published lists: the paper's three files, and beside them what people read."""

import json
from pathlib import Path

import numpy as np

from fastreid_prune.export import card, paper
from fastreid_prune.export.folders import Images
from fastreid_prune.export.publication import Publication
from fastreid_prune.formats.list_files import INFO, SCHEMA_VERSION
from fastreid_prune.io.tables import write_csv
from fastreid_prune.version import __version__


def write(publication: Publication, folder: Path, images: Images) -> None:
    """Write the paper's files, ``scores``, ``important``, ``mislabelled``, ``outliers``, data card and info."""
    paper.write(publication, folder)
    table, verdicts, order = publication.table, publication.table.verdicts, publication.order
    table.write(folder)
    write_csv(
        folder / "important.csv",
        {
            "rank": np.arange(1, len(table) + 1),
            "file_name": table.file_name[order],
            "pid": table.pid[order],
            "camid": table.camid[order],
            publication.method: table.scores[publication.method][order],
        },
    )
    wrong = _by_confidence(verdicts.mislabelled, verdicts.confidence, table.file_name)
    write_csv(
        folder / "mislabelled.csv",
        {
            "file_name": table.file_name[wrong],
            "given_pid": table.pid[wrong],
            "suggested_pid": verdicts.suggested_pid[wrong],
            "confidence": verdicts.confidence[wrong],
            "runner_up_pid": verdicts.runner_up_pid[wrong],
            "reason": verdicts.reason[wrong],
        },
    )
    outliers = _by_confidence(verdicts.outlier, verdicts.confidence, table.file_name)
    write_csv(
        folder / "outliers.csv",
        {
            "file_name": table.file_name[outliers],
            "pid": table.pid[outliers],
            "confidence": verdicts.confidence[outliers],
            "evidence": verdicts.reason[outliers],
        },
    )
    info = {
        "schema_version": SCHEMA_VERSION,
        "written_by": f"fastreid_prune {__version__}",
        "dataset": publication.name,
        "method": publication.method,
        "samples": len(table),
        "judged": table.judged,
        "thresholds": table.thresholds,
        "source": dict(sorted(table.about.items())),
    }
    _write_text(folder / INFO, json.dumps(info, indent=2, ensure_ascii=False) + "\n")
    _write_text(folder / "README.md", card.text(publication))


def _by_confidence(chosen: np.ndarray, confidence: np.ndarray, names: np.ndarray) -> np.ndarray:
    """Rows of the chosen, surest first, then by name."""
    rows = np.flatnonzero(chosen)
    surest = -np.nan_to_num(confidence[rows], nan=-1.0)
    return rows[np.lexsort((names[rows].astype(str), surest))]


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
