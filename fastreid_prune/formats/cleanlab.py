"""A table of label issues with cleanlab's columns: ``is_label_issue,label_score,given_label,predicted_label``.

``label_score`` is cleanlab's self-confidence, the soft label's probability of the given identity: low = bad. An issue
is what the run's verdicts call mislabelled; where nobody judged, the paper's rule: another identity is more likely.

What comes back is such a table with the images' names: its issues are verdicts, its scores rank nothing.
"""

from pathlib import Path
from typing import Any, cast

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats.folders import Images
from fastreid_prune.formats.listed import Listed
from fastreid_prune.formats.matching import NameIndex
from fastreid_prune.formats.numbering import Identities
from fastreid_prune.formats.publication import Publication
from fastreid_prune.formats.registry import Request, reader, writer
from fastreid_prune.io.files import sha256
from fastreid_prune.io.tables import CsvReader, write_csv
from fastreid_prune.scores.top_classes import too_many, top_classes

TABLE = "label_issues.csv"
_COLUMNS = ["file_name", "is_label_issue", "given_label", "predicted_label"]
_TRUE, _FALSE = ("true", "1"), ("false", "0")
_SOURCE = "https://docs.cleanlab.ai/stable/cleanlab/classification.html"
_BLOCK_ROWS = 4096


@writer("cleanlab", "cleanlab's table of label issues", source=_SOURCE)
def write(publication: Publication, folder: Path, images: Images) -> None:
    """Write ``label_issues.csv``, a row for each sample that could be read."""
    readable = publication.rows >= 0
    table = publication.table.take(readable)
    score, most_likely = _soft_labels(publication, publication.rows[readable], table.pid)
    if table.judged:
        issue = table.verdicts.mislabelled
        predicted = np.where(issue, table.verdicts.suggested_pid, most_likely)
    else:
        issue, predicted = most_likely != table.pid, most_likely
    write_csv(
        folder / TABLE,
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
    """The soft label's probability of the given identity, and its most likely identity, [N] each."""
    trajectory = publication.trajectory
    if trajectory is None:
        raise FastreidPruneError(
            "format cleanlab: needs the run's trajectory (its mean logits), which is not there."
        )
    assert trajectory.samples is not None
    names = np.array(trajectory.samples.class_names, dtype=object)
    classes = {pid: label for label, pid in enumerate(names)}
    labels = np.array([classes[pid] for pid in pids], np.int64)
    mean_logits = cast(Any, trajectory.mean_logits)
    if too_many(mean_logits):
        top = top_classes(trajectory)
        given = mean_logits.at(rows, labels[:, None])[:, 0]
        return np.exp(given - top.log_total[rows]), names[top.classes[rows, 0]]
    score, most_likely = np.empty(len(rows)), np.empty(len(rows), np.int64)
    for start in range(0, len(rows), _BLOCK_ROWS):
        part = rows[start : start + _BLOCK_ROWS]
        logits = np.asarray(mean_logits[part], np.float64)
        logits -= logits.max(axis=1, keepdims=True)
        given = logits[np.arange(len(part)), labels[start : start + len(part)]]
        score[start : start + len(part)] = np.exp(given) / np.exp(logits).sum(axis=1)
        most_likely[start : start + len(part)] = logits.argmax(axis=1)
    return score, names[most_likely]


def _table(path: Path) -> Path | None:
    places = (path, path / TABLE)
    return next((place for place in places if place.name == TABLE and place.is_file()), None)


@reader(
    "cleanlab",
    "a label_issues.csv with the images' names",
    detect=lambda path: _table(path) is not None,
    source=_SOURCE,
)
def read(path: Path, request: Request) -> Listed:
    """What the table says of the samples of a data set.

    Raises:
        FastreidPruneError: it is damaged, or lacks a column.
    """
    place = _table(path) or path
    samples = request.samples
    result = Listed.nothing(len(samples), "cleanlab", {"lists": TABLE, f"sha256 of {TABLE}": sha256(place)})
    reader = CsvReader(place, _COLUMNS)
    index, identities, tally = NameIndex(samples.file_name), Identities(samples.pid), result.tally
    for block in reader.blocks(_COLUMNS):
        names, issues, given, predicted = (block.column(name).to_pylist() for name in _COLUMNS)
        rows = index.rows(block.column("file_name"), tally)
        for row, name, issue, label, suggested in zip(rows, names, issues, given, predicted, strict=True):
            if row < 0:
                continue
            result.listed[row] = True
            if identities.find(label) != samples.pid[row]:
                tally.remark("give another identity than the data set", [name])
            pid = identities.find(suggested)
            if issue.lower() not in (*_TRUE, *_FALSE):
                tally.remark("have no True or False as is_label_issue", [name])
            elif issue.lower() in _TRUE and pid is None:
                tally.remark("suggest an identity unknown here", [name])
            elif issue.lower() in _TRUE and pid is not None and pid != samples.pid[row]:
                result.mislabelled(row, pid)
                result.reason[row] = f"listed as {pid}"
            result.judged = True
    tally.note(f"do not have {len(reader.columns)} fields", [], reader.malformed)
    return result
