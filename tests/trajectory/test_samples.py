import pytest

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.trajectory import Samples

NAMES, PIDS, CAMS = ["b/2.jpg", "a,1.jpg", 'c".jpg'], ["m_2", "m_10", "m_2"], ["m_0", "m_1", "m_0"]


def test_classes_follow_the_string_order_of_identities_where_nobody_says_otherwise():
    samples = Samples.from_items(NAMES, PIDS, CAMS)
    assert samples.class_names == ("m_10", "m_2")
    assert samples.label.tolist() == [1, 0, 1]


def test_the_csv_keeps_rows_and_their_order(tmp_path):
    samples = Samples.from_items(NAMES, PIDS, CAMS)
    samples.write_csv(tmp_path / "samples.csv")
    again = Samples.read_csv(tmp_path / "samples.csv")
    assert again.file_name.tolist() == NAMES and again.pid.tolist() == PIDS and again.camid.tolist() == CAMS
    assert again.label.tolist() == samples.label.tolist() and again.class_names == samples.class_names


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "found an empty file"),
        ("file,pid\n", "expected the columns file_name,pid,camid,class"),
        ("file_name,pid,camid,class\na,p\n", "line 2"),
        ("file_name,pid,camid,class\na,p,c,x\n", "line 2"),
        ("file_name,pid,camid,class\na,p,c,0\nb,q,c,5\n", "line 3 gives class 5 to q, which is class 1"),
    ],
)
def test_what_is_no_list_of_samples_is_refused(text, message, tmp_path):
    path = tmp_path / "samples.csv"
    path.write_text(text)
    with pytest.raises(FastreidPruneError, match=message):
        Samples.read_csv(path)
