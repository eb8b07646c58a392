"""A table of label issues with cleanlab's columns: ``is_label_issue,label_score,given_label,predicted_label``.

``label_score`` is cleanlab's self-confidence, the soft label's probability of the given identity: low = bad. An issue
is what the run's verdicts call mislabelled; where nobody judged, the paper's rule: another identity is likelier.
"""

from pathlib import Path

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.export.folders import Images
from fastreid_prune.export.publication import Publication
from fastreid_prune.io.tables import write_csv

_BLOCK_ROWS = 4096


def write(publication: Publication, folder: Path, images: Images) -> None:
    """Write ``label_issues.csv``, a row for each sample that could be read."""
    readable = publication.rows >= 0
    table = publication.table.take(readable)
    score, likeliest = _soft_labels(publication, publication.rows[readable], table.pid)
    if table.judged:
        issue = table.verdicts.mislabelled
        predicted = np.where(issue, table.verdicts.suggested_pid, likeliest)
    else:
        issue, predicted = likeliest != table.pid, likeliest
    write_csv(
        folder / "label_issues.csv",
        {
            "file_name": table.file_name,
            "is_label_issue": issue.astype(bool),
            "label_score": score,
            "given_label": table.pid,
            "predicted_label": predicted,
        },
    )


def _soft_labels(
    publication: Publication, rows: np.ndarray, pids: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The soft label's probability of the given identity, and its likeliest identity, [N] each."""
    trajectory = publication.trajectory
    if trajectory is None:
        raise FastreidPruneError(
            "format cleanlab: needs the run's trajectory (its mean logits), which is not there."
        )
    names = np.array(trajectory.samples.class_names, dtype=object)
    classes = {pid: label for label, pid in enumerate(names)}
    labels = np.array([classes[pid] for pid in pids], np.int64)
    score, likeliest = np.empty(len(rows)), np.empty(len(rows), np.int64)
    for start in range(0, len(rows), _BLOCK_ROWS):
        own = rows[start : start + _BLOCK_ROWS]
        logits = np.asarray(trajectory.mean_logits[own], np.float64)
        logits -= logits.max(axis=1, keepdims=True)
        given = logits[np.arange(len(own)), labels[start : start + len(own)]]
        score[start : start + len(own)] = np.exp(given) / np.exp(logits).sum(axis=1)
        likeliest[start : start + len(own)] = logits.argmax(axis=1)
    return score, names[likeliest]
