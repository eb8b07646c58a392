"""Merging and parting: what accepted findings make of the labels."""

from dataclasses import replace

import numpy as np
import pytest

from fastreid_prune.scored_run.identity_changes import apply_identities, merged_away
from fastreid_prune.scored_run.identity_table import MORE, SAME, Finding
from fastreid_prune.scored_run.verdicts import MISLABELLED, OUTLIER, Verdicts

PIDS = np.array(["m_1", "m_1", "m_2", "m_2", "m_3", "m_3", "m_3"], object)
FILES = np.array([f"{n}.jpg" for n in range(7)], object)
MERGE = Finding(SAME, "m_1", "m_2", 2, 4.5, None, "", "accept", "alike")
PART = Finding(MORE, "m_3", "", 2, 0.4, None, "", "accept", "two", ("4.jpg", "5.jpg"))
NOTHING = Verdicts.unjudged(7)


def final(verdicts):
    return np.where(verdicts.mislabelled, verdicts.suggested_pid, PIDS).tolist()


def done(findings, verdicts=NOTHING, confirmed=None):
    return apply_identities(findings, FILES, PIDS, verdicts, confirmed)


def test_merging_renames_and_parting_gives_a_new_name():
    made = done([MERGE, PART])
    assert final(made) == ["m_1", "m_1", "m_1", "m_1", "m_4", "m_4", "m_3"]
    assert made.reason[2] == "alike" and made.reason[4] == "two"
    assert merged_away([MERGE, PART]) == {"m_2"}


def test_a_part_of_a_known_identity_goes_there_also_where_that_one_is_merged():
    assert final(done([MERGE, replace(PART, other_pid="m_2")])) == ["m_1"] * 6 + ["m_3"]


def test_what_is_linked_ends_under_one_name():
    chain = [MERGE, replace(MERGE, pid="m_2", other_pid="m_3")]
    both = [MERGE, replace(MERGE, pid="m_3")]
    for findings in (
        chain,
        chain[::-1],
        both,
        both[::-1],
        [*chain, replace(MERGE, pid="m_3", other_pid="m_1")],
    ):
        assert len(set(final(done(findings)))) == 1 and len(merged_away(findings)) == 2
    assert set(final(done(chain[::-1]))) == {"m_1"}


def test_single_verdicts_stay_and_what_is_relabelled_to_a_merged_identity_follows():
    columns = {name: getattr(NOTHING, name).copy() for name in Verdicts.__dataclass_fields__}
    columns["verdict"][[0, 4, 5]] = [MISLABELLED, MISLABELLED, OUTLIER]
    columns["suggested_pid"][[0, 4]] = ["m_2", "m_1"]
    made = done([MERGE, PART], Verdicts(**columns))
    assert made.verdict[0] == "clean", "it is at home under the merged name"
    assert made.suggested_pid[4] == "m_1" and made.verdict[5] == OUTLIER


def test_an_image_whose_label_a_person_confirmed_is_not_parted():
    assert final(done([PART], confirmed=np.arange(7) == 4))[4:] == ["m_3", "m_4", "m_3"]


@pytest.mark.parametrize(
    ("decision", "verdict", "renamed"), [("", "", 0), ("refuse", "merge", 0), ("", "merge", 2)]
)
def test_only_what_was_accepted_or_is_answered_for_is_done(decision, verdict, renamed):
    assert done([replace(MERGE, decision=decision, verdict=verdict)]).mislabelled.sum() == renamed
