"""Verdicts and images for the scored runs that tests export and import."""

import csv
import json

import numpy as np

from fastreid_prune.scored_run.run_files import RunFiles
from fastreid_prune.scored_run.score_table import ScoreTable
from fastreid_prune.scored_run.verdicts import Verdicts


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_verdicts(run, mislabelled=(), outliers=()):
    """Give a run verdicts; mislabelled rows get the next identity."""
    table = RunFiles.open(run).table
    ids = sorted(set(table.pid))
    verdict, reason = np.full(len(table), "clean", object), np.full(len(table), "", object)
    suggested, runner_up = np.full(len(table), "", object), np.full(len(table), "", object)
    for row in mislabelled:
        verdict[row], reason[row] = "mislabelled", 'its "neighbours", say otherwise'
        suggested[row] = ids[(ids.index(table.pid[row]) + 1) % len(ids)]
        runner_up[row] = ids[(ids.index(table.pid[row]) + 2) % len(ids)]
    for row in outliers:
        verdict[row], reason[row] = "outlier", "between two identities"
    confidence = np.where(verdict == "clean", np.nan, 0.5 + np.arange(len(table)) / 1000)
    verdicts = Verdicts(verdict, suggested, runner_up, confidence, reason)
    about = table.about | {"thresholds": json.dumps({"precision": 0.95})}
    ScoreTable(table.file_name, table.pid, table.camid, table.scores, verdicts, about).write(run / "prune")
    return table


def write_images(root, names):
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"image %d" % number)


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
