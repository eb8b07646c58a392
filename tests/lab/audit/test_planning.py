"""What an audit knows and refuses before anything is trained."""

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from fastreid_prune import datasets
from fastreid_prune.cli import group
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.lab.audit import plan_audit


@pytest.fixture
def people(tmp_path):
    for who in "abcdef":
        for k in range(4):
            path = tmp_path / "people" / who / f"{k}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((32, 16, 3), 40 * k, np.uint8)).save(path)
    return tmp_path / "people"


def value(options, key):
    return options[options.index(key) + 1]


def test_the_plan_says_what_will_be_trained_on(people, tmp_path):
    plan = plan_audit(people, tmp_path / "out", recipe="small", options=["SOLVER.MAX_EPOCH", "3"])
    scoring = plan.scoring()
    assert value(scoring.options, "DATASETS.NAMES") == f"({str(people)!r},)"
    assert value(scoring.options, "DATASETS.TESTS") == "()" and not plan.can_be_tested
    assert value(scoring.options, "PRUNE.PURIFY.RULE") == "none"  # judged once, by the audit
    assert scoring.options[-2:] == ["SOLVER.MAX_EPOCH", "3"]
    assert value(plan.retraining("auto", tmp_path / "m.csv").options, "PRUNE.MANIFEST") == str(
        tmp_path / "m.csv"
    )


def test_a_test_split_made_on_request_is_written_as_a_table(people, tmp_path):
    plan = plan_audit(people, tmp_path / "out", recipe="small", hold_out=0.34)
    assert plan.can_be_tested and plan.path == tmp_path / "out" / "people.csv"
    held = datasets.read(plan.path)
    assert [(split, images) for split, images, *_ in held.counts()] == [
        ("train", 16),
        ("query", 2),
        ("gallery", 6),
    ]
    assert all((plan.data.root / name).is_file() for name in plan.data.file_name)
    assert value(plan.scoring().options, "DATASETS.TESTS") == f"({str(plan.path)!r},)"


def test_the_same_call_goes_on_and_another_is_refused(people, tmp_path):
    plan_audit(people, tmp_path / "out", recipe="small")
    plan_audit(people, tmp_path / "out", recipe="small")
    with pytest.raises(FastreidPruneError, match="another choice of options"):
        plan_audit(people, tmp_path / "out", recipe="small", options=["SOLVER.MAX_EPOCH", "3"])
    (people / "a" / "0.png").unlink()
    with pytest.raises(FastreidPruneError, match="the data set's images or labels"):
        plan_audit(people, tmp_path / "out", recipe="small")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.md").write_text("mine")
    with pytest.raises(FastreidPruneError, match="not of an audit"):
        plan_audit(people, tmp_path / "full", recipe="small")


def test_an_option_that_is_wrong_claims_no_folder(people, tmp_path):
    for wrong in (["SOLVER.MAX_EPOCH"], ["SOLVER.MAX_EPOCHS", "3"], ["SOLVER.MAX_EPOCH", "ten"]):
        with pytest.raises(FastreidPruneError, match="SOLVER.MAX_EPOCH"):
            plan_audit(people, tmp_path / "out", recipe="small", options=wrong)
    assert plan_audit(people, tmp_path / "out", recipe="small", options=["SOLVER.MAX_EPOCH", "3"])


def test_no_data_is_a_mistake_in_the_call(tmp_path):
    said = CliRunner().invoke(group, ["audit", "-o", str(tmp_path / "out")])
    assert said.exit_code == 2 and "Missing argument 'DATA'" in said.output


def test_what_cannot_be_trained_on_is_refused_at_once(people, tmp_path):
    for path in people.rglob("*.png"):
        path.write_bytes(b"no picture")
    with pytest.raises(FastreidPruneError, match="none of 24 images that were tried can be read"):
        plan_audit(people, tmp_path / "out", recipe="small")
    for who in "bcdef":
        for path in (people / who).iterdir():
            path.unlink()
    with pytest.raises(FastreidPruneError):
        plan_audit(people, tmp_path / "out", recipe="small")
    assert not (tmp_path / "out").exists()
