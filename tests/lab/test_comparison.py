"""Retrained runs side by side, from what they recorded."""

import json

import pytest

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.lab.comparison import compare_runs

RECORD = {
    "images": 4,
    "identities": 2,
    "training_seconds": 7.5,
    "manifest": "",
    "results": {"Rank-1": 60.0, "mAP": 40.0},
}


def recorded(folder, **said):
    (folder / "prune").mkdir(parents=True)
    (folder / "prune" / "run.json").write_text(json.dumps({**RECORD, **said}))
    return folder


def test_what_a_run_recorded_stands_in_its_row(tmp_path):
    (row,) = compare_runs({"all": recorded(tmp_path / "all")})
    assert (row.name, row.images, row.training_seconds, row.rank1, row.mAP) == ("all", 4, 7.5, 60.0, 40.0)
    assert row.planted_errors is None


def test_a_run_without_a_record_or_without_an_evaluation_is_named(tmp_path):
    with pytest.raises(FastreidPruneError, match="none"):
        compare_runs({"none": tmp_path / "none"})
    with pytest.raises(FastreidPruneError, match="not been evaluated"):
        compare_runs({"cut": recorded(tmp_path / "cut", results={})})
