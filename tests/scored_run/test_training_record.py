"""run.json: what a training cost, and what is said of the run later."""

import json

import pytest

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.scored_run.metadata import TrainingRecord, note


def test_what_is_noted_stands_beside_what_the_training_wrote(tmp_path):
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"images": 7, "epochs": 2}))
    note(path, "approximations", ["some"])
    assert json.loads(path.read_text()) == {"images": 7, "epochs": 2, "approximations": ["some"]}
    assert TrainingRecord.read(path).images == 7
    note(path, "approximations", [])
    assert json.loads(path.read_text())["approximations"] == []


def test_nothing_to_say_writes_no_file_and_a_damaged_one_is_named(tmp_path):
    note(tmp_path / "run.json", "approximations", [])
    assert not (tmp_path / "run.json").exists()
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(FastreidPruneError, match="run.json"):
        note(tmp_path / "run.json", "approximations", ["some"])
