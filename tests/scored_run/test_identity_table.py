"""identities.csv: written, read, decided by hand, obeyed."""

from dataclasses import replace

import numpy as np
import pytest

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.scored_run.identity_table import (
    MORE,
    SAME,
    Finding,
    apply_identities,
    keep_decisions,
    read_identities,
    write_identities,
)
from fastreid_prune.scored_run.score_table import ScoreTable
from fastreid_prune.scored_run.verdicts import MISLABELLED, OUTLIER, Verdicts

PIDS = np.array(["m_1", "m_1", "m_2", "m_2", "m_3", "m_3", "m_3"], object)
FILES = np.array([f"{n}.jpg" for n in range(7)], object)
MERGE = Finding(SAME, "m_1", "m_2", 2, 4.5, None, "", "accept", "alike")
PART = Finding(MORE, "m_3", "", 2, 0.4, None, "", "accept", "two", ("4.jpg", "5.jpg"))


@pytest.fixture
def table():
    verdicts = Verdicts.unjudged(7)
    return ScoreTable(FILES, PIDS, np.full(7, "c_0", object), {}, verdicts)


def final(table, verdicts):
    return np.where(verdicts.mislabelled, verdicts.suggested_pid, table.pid).tolist()


def test_findings_come_back_as_they_were(tmp_path):
    findings = [MERGE, replace(PART, confidence=0.9, verdict="part", decision="")]
    write_identities(tmp_path / "identities.csv", findings)
    assert read_identities(tmp_path / "identities.csv") == findings


def test_merging_renames_and_parting_gives_a_new_name(table):
    done = apply_identities([MERGE, PART], table, table.verdicts)
    assert final(table, done) == ["m_1", "m_1", "m_1", "m_1", "m_3b", "m_3b", "m_3"]
    assert done.reason[2] == "alike" and done.reason[4] == "two"


def test_a_part_of_a_known_identity_goes_there_also_where_that_one_is_merged(table):
    done = apply_identities([MERGE, replace(PART, other_pid="m_2")], table, table.verdicts)
    assert final(table, done) == ["m_1", "m_1", "m_1", "m_1", "m_1", "m_1", "m_3"]


def test_chains_of_merges_end_under_one_name(table):
    chain = [MERGE, replace(MERGE, pid="m_2", other_pid="m_3")]
    for findings in (chain, chain[::-1]):
        assert set(final(table, apply_identities(findings, table, table.verdicts))) == {"m_1"}


def test_single_verdicts_stay_and_what_is_relabelled_to_a_merged_identity_follows(table):
    columns = {name: getattr(table.verdicts, name).copy() for name in Verdicts.__dataclass_fields__}
    columns["verdict"][[0, 4, 5]] = [MISLABELLED, MISLABELLED, OUTLIER]
    columns["suggested_pid"][[0, 4]] = ["m_2", "m_1"]
    done = apply_identities([MERGE, PART], table, Verdicts(**columns))
    assert final(table, done)[0] == "m_1" and done.verdict[0] == "clean", (
        "it is at home under the merged name"
    )
    assert done.suggested_pid[4] == "m_1" and done.verdict[5] == OUTLIER


@pytest.mark.parametrize(
    ("decision", "verdict", "renamed"), [("", "", 0), ("refuse", "merge", 0), ("", "merge", 2)]
)
def test_only_what_was_accepted_or_is_answered_for_is_done(table, decision, verdict, renamed):
    finding = replace(MERGE, decision=decision, verdict=verdict)
    done = apply_identities([finding], table, table.verdicts)
    assert done.mislabelled.sum() == renamed


def test_decisions_outlive_another_judging():
    found = [replace(MERGE, decision="", score=4.7)]
    kept = keep_decisions(found, [MERGE, PART])
    assert kept == [replace(MERGE, score=4.7), PART]


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


def test_findings_of_another_run_are_refused(table):
    with pytest.raises(FastreidPruneError, match="'m_9'"):
        apply_identities([replace(MERGE, other_pid="m_9")], table, table.verdicts)
    with pytest.raises(FastreidPruneError, match="'z.jpg'"):
        apply_identities([replace(PART, files=("z.jpg",))], table, table.verdicts)
