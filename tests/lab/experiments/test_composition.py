"""What a choice keeps of a test bed's errors, against counts from the truth file by hand."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from fastreid_prune.lab.comparison import compare_runs
from fastreid_prune.lab.demo import write_demo
from fastreid_prune.lab.experiments.composition import Kept, kept
from fastreid_prune.lab.experiments.summary import as_markdown, blocks
from fastreid_prune.manifest import Manifest
from fastreid_prune.scored_run.score_table import ScoreTable
from fastreid_prune.scored_run.verdicts import CLEAN, MISLABELLED, OUTLIER, Verdicts


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    """The folder of a small demo with errors, and its training images' truth."""
    folder = tmp_path_factory.mktemp("bed")
    write_demo(folder, seed=3, train_ids=12, test_ids=2, wrong_labels=0.1, outliers=0.1)
    with open(folder / "truth.csv", newline="") as file:
        return folder, [row for row in csv.DictReader(file) if row["split"] == "train"]


def write_choice(path, truth, leave, relabel=()):
    """A manifest that leaves out the rows ``leave`` and gives ``relabel`` their true identity."""
    verdict = np.full(len(truth), CLEAN, object)
    verdict[list(leave)], verdict[list(relabel)] = OUTLIER, MISLABELLED
    suggested = [f"market1501_{row['true_id']}" if v == MISLABELLED else "" for row, v in zip(truth, verdict)]  # noqa: B905
    blank, names = np.full(len(truth), "", object), np.array([row["file"] for row in truth], object)
    verdicts = Verdicts(verdict, np.array(suggested, object), blank, np.ones(len(truth)), blank)
    pid = np.array([f"market1501_{row['given_id']}" for row in truth], object)
    score = np.zeros(len(truth))
    table = ScoreTable(names, pid, blank, {"none": score}, verdicts)
    Manifest.build(table, score, ~verdicts.outlier, verdicts, method="none", ratio=0.0).write(path)


def test_without_a_choice_everything_is_kept(bed, tmp_path):
    folder, truth = bed
    wrong = sum(row["kind"] == "wrong_label" for row in truth)
    outliers = sum(row["kind"].startswith("outlier_") for row in truth)
    copies = sum(row["near_copy_of"] != "" for row in truth)
    assert wrong > 3 and outliers > 3 and copies > 3
    assert kept(tmp_path / "none.csv", str(folder)) == Kept(wrong, outliers, copies)


def test_what_is_left_out_or_relabelled_is_no_error_any_more(bed, tmp_path):
    folder, truth = bed
    everything = kept(tmp_path / "none.csv", str(folder))
    wrong = [place for place, row in enumerate(truth) if row["kind"] == "wrong_label"]
    outliers = [place for place, row in enumerate(truth) if row["kind"].startswith("outlier_")]
    write_choice(tmp_path / "choice.csv", truth, leave=[*outliers, wrong[0]], relabel=wrong[1:3])
    found = kept(tmp_path / "choice.csv", str(folder))
    assert (found.wrong_labels, found.outliers) == (everything.wrong_labels - 3, 0)


def test_of_each_group_of_near_copies_the_first_is_not_counted(bed, tmp_path):
    folder, truth = bed
    copies = [place for place, row in enumerate(truth) if row["near_copy_of"]]
    write_choice(tmp_path / "choice.csv", truth, leave=copies)
    assert kept(tmp_path / "choice.csv", str(folder)).near_copies == 0


def test_without_a_truth_nothing_is_said(bed, tmp_path):
    assert kept(tmp_path / "none.csv", str(tmp_path)) is None
    folder, truth = bed
    write_choice(tmp_path / "choice.csv", [row | {"file": "elsewhere/" + row["file"]} for row in truth], [])
    assert kept(tmp_path / "choice.csv", str(folder)) is None


def test_a_file_of_that_name_that_is_no_test_beds_is_passed_over(tmp_path):
    (tmp_path / "truth.csv").write_text("image,label\na.jpg,1\n")
    assert kept(tmp_path / "none.csv", str(tmp_path)) is None


def test_the_summary_averages_over_seeds_and_counts_a_choice_once():
    def row(seed, wrong, budget):
        return {
            "kind": "train", "status": "done", "scored_with": "net", "method": "entropy", "ratio": 0.3,
            "purified": "no", "score_seed": seed, "seed": seed, "budget": budget, "images": 70, "identities": 9,
            "wrong_labels_kept": wrong, "outliers_kept": 1, "near_copies_kept": 0, "recipe": "net", "Rank-1": 1.0,
            "mAP": 1.0, "mINP": 1.0, "training_seconds": 1.0, "folder": "", "error": "",
        }  # fmt: skip

    table = [row(0, 4, "epochs"), row(0, 4, "iterations"), row(1, 7, "epochs")]
    told = as_markdown(blocks(table, "random", {}), "t")
    assert "| net | entropy | 30 % | no | 70 | 9 | 5.5 | 1 | 0 |" in told


def test_a_comparison_of_retrained_runs_counts_the_same_errors(bed, tmp_path):
    folder, truth = bed
    wrong = [place for place, row in enumerate(truth) if row["kind"] == "wrong_label"]
    write_choice(tmp_path / "choice.csv", truth, leave=wrong[:2], relabel=wrong[2:])
    manifests = {"all": "", "chosen": str(tmp_path / "choice.csv")}
    record = {"images": 1, "identities": 1, "training_seconds": 1.0, "results": {"Rank-1": 1.0, "mAP": 1.0}}
    for name, manifest in manifests.items():
        (tmp_path / name / "prune").mkdir(parents=True)
        (tmp_path / name / "prune" / "run.json").write_text(json.dumps({**record, "manifest": manifest}))
    rows = compare_runs({name: tmp_path / name for name in manifests}, folder / "truth.csv")
    for row in rows:
        by_hand = kept(Path(manifests[row.name] or tmp_path / "none.csv"), str(folder))
        assert row.planted_errors == by_hand.wrong_labels + by_hand.outliers > 0
