"""Reading and writing truth.csv."""

import pytest

from fastreid_prune.datasets.truth import TruthRow, read_truth, write_truth
from fastreid_prune.errors import FastreidPruneError

ROWS = [
    TruthRow("a/0002_c1s1_000001_00.jpg", 2, "clean", 2, 1, "train"),
    TruthRow("a/0003_c1s1_000002_00.jpg", 2, "wrong_label", 3, 1, "train", "a/0002_c1s1_000001_00.jpg"),
    TruthRow("a/0004_c2s1_000003_00.jpg", -1, "outlier_object", 4, 2, "train"),
]


def test_rows_come_back_as_they_were_in_the_order_of_their_files(tmp_path):
    write_truth(tmp_path / "truth.csv", ROWS[::-1])
    assert read_truth(tmp_path / "truth.csv") == ROWS


def test_verdicts_follow_from_the_kind():
    assert [row.is_mislabelled for row in ROWS] == [False, True, False]
    assert [row.is_outlier for row in ROWS] == [False, False, True]


def test_a_missing_file_and_a_missing_column_and_an_empty_id_are_named(tmp_path):
    path = tmp_path / "truth.csv"
    with pytest.raises(FastreidPruneError, match="truth.csv"):
        read_truth(path)
    path.write_text("file,kind\nx,clean\n")
    with pytest.raises(FastreidPruneError, match="expected the columns file,true_id, found"):
        read_truth(path)
    path.write_text("file,true_id,kind,given_id,camera,split,near_copy_of\nx,,clean,2,1,train,\n")
    with pytest.raises(FastreidPruneError, match="line 2"):
        read_truth(path)


def test_a_person_may_have_a_name(tmp_path):
    (tmp_path / "truth.csv").write_text("file,true_id\na,ann\nb,-1\nc,0007\n")
    assert [row.true_id for row in read_truth(tmp_path / "truth.csv")] == ["ann", -1, 7]


def test_file_and_true_id_are_enough_and_the_kind_follows_from_the_given_id(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text("file,true_id\na,1\nb,2\nc,-1\n")
    rows = [row.given(1) for row in read_truth(path)]
    assert [row.is_mislabelled for row in rows] == [False, True, False]
    assert [row.is_outlier for row in rows] == [False, False, True]
