"""identities.csv: written, read, decided by hand."""

from dataclasses import replace

import numpy as np
import pytest

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.scored_run.identity_table import (
    MORE,
    SAME,
    Finding,
    check_findings,
    is_identities,
    keep_decisions,
    overrule,
    read_identities,
    write_identities,
)

PIDS = np.array(["m_1", "m_1", "m_2", "m_2", "m_3", "m_3", "m_3"], object)
FILES = np.array([f"{n}.jpg" for n in range(7)], object)
MERGE = Finding(SAME, "m_1", "m_2", 2, 4.5, None, "", "accept", "alike")
PART = Finding(MORE, "m_3", "", 2, 0.4, None, "", "accept", "two", ("4.jpg", "5|x.jpg"))


def test_findings_come_back_as_they_were(tmp_path):
    findings = [MERGE, replace(PART, confidence=0.9, verdict="part", decision="")]
    write_identities(tmp_path / "identities.csv", findings)
    assert read_identities(tmp_path / "identities.csv") == findings
    assert is_identities(tmp_path / "identities.csv") and not is_identities(tmp_path / "none.csv")


def test_decisions_outlive_another_judging():
    found = [replace(MERGE, decision="", score=4.7)]
    kept = keep_decisions(found, [MERGE, PART])
    assert kept == [replace(MERGE, score=4.7), PART]


def test_a_decision_elsewhere_holds_over_the_runs_and_can_take_it_back():
    found = [replace(MERGE, verdict="merge"), replace(PART, decision="")]
    decided = overrule(found, [replace(MERGE, decision="refuse"), PART])
    assert [one.holds for one in decided] == [False, True]
    assert not overrule([MERGE], [replace(MERGE, decision="")])[0].holds


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "alike"}, "kind 'alike'"),
        ({"decision": "yes"}, "decision 'yes'"),
        ({"verdict": "part"}, "verdict 'part'"),
        ({"other_pid": ""}, "other_pid"),
    ],
)
def test_rows_that_make_no_sense_are_named(tmp_path, change, said):
    write_identities(tmp_path / "identities.csv", [MERGE, replace(MERGE, **change)])
    with pytest.raises(FastreidPruneError, match=f"line 3: .*{said}"):
        read_identities(tmp_path / "identities.csv")


def test_findings_of_another_run_are_refused():
    for finding, said in (
        (replace(MERGE, other_pid="m_9"), "'m_9'"),
        (replace(PART, files=("z.jpg",)), "'z.jpg'"),
    ):
        with pytest.raises(FastreidPruneError, match=f"here: 1 .*{said}"):
            check_findings([finding], PIDS, FILES, "here")
