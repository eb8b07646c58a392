"""Folders and tables as people have them: read right, or refused in words, and nothing left out without a count."""

import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from laid_out import lay, rows, write

from fastreid_prune import datasets
from fastreid_prune.errors import FastreidPruneError

FOLDERS = {
    "a camera's folder in an identity's": (
        ["anna/cam1/1.jpg", "ben/cam12/1.jpg"],
        {("anna", "1"), ("ben", "12")},
    ),
    "identities' folders in a camera's": (
        ["camera_1/anna/1.jpg", "camera_12/anna/1.jpg", "camera_12/ben/1.jpg"],
        {("anna", "1"), ("anna", "12"), ("ben", "12")},
    ),
    "the camera in front of the name": (
        ["train/cam01/person01/cam01_person01_f1.jpg", "train/cam02/person02/cam02_person02_f1.jpg"],
        {("person01", "1"), ("person02", "2")},
    ),
    "c1 and c2 are identities without folders in them": (["c1/x.jpg", "c2/x.jpg"], {("c1", ""), ("c2", "")}),
    "names of MARS, with its junk": (
        [
            "bbox_train/0001/0001C1T0001F001.jpg",
            "bbox_train/0003/0003C6T01F1.jpg",
            "bbox_train/00-1/00-1C1T01F1.jpg",
        ],
        {("0001", "1"), ("0003", "6")},
    ),
    "splits by other words": (
        ["Train Set/a/1.jpg", "Train Set/b/1.jpg", "test_set/c/1.jpg"],
        {("a", ""), ("b", "")},
    ),
    "train_all before train": (
        ["train/a/1.jpg", "train_all/a/1.jpg", "train_all/b/1.jpg"],
        {("a", ""), ("b", "")},
    ),
    "letters of any kind": (["señor, x/1.JPG", "张 伟/图 1.Png"], {("señor, x", ""), ("张 伟", "")}),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_a_folder_is_read_as_it_was_meant(tmp_path, case):
    files, expected = FOLDERS[case]
    data = datasets.read(lay(tmp_path, *files))
    assert {row[1:] for row in rows(data)} == expected
    assert len(data) + sum(skip.count for skip in data.skipped) == len(files)


def test_query_and_gallery_in_the_folder_for_testing(tmp_path):
    lay(
        tmp_path,
        "train/a/1.jpg",
        "train/b/1.jpg",
        "val/a/2.jpg",
        "Test/query/c/1.jpg",
        "Test/gallery/c/2.jpg",
    )
    data = datasets.read(tmp_path)
    assert [split for split, *_ in data.counts()] == ["train", "query", "gallery"]
    assert [skip.reason for skip in data.skipped] == [
        "in val, which is for neither training nor query nor gallery"
    ]


def test_what_systems_leave_in_folders_is_no_image_and_no_identity(tmp_path):
    lay(tmp_path, "A/1.jpg", "A/2.jpg", "B/1.jpg", "A/Thumbs.db", "B/.DS_Store", "A/._1.jpg", "A/1.jpg.part")
    lay(tmp_path, "__MACOSX/A/._1.jpg", "__MACOSX/A/1.jpg", "@eaDir/1.jpg/thumb.jpg", ".cache/x.jpg")
    data = datasets.read(tmp_path)
    assert {row[1] for row in rows(data)} == {"A", "B"} and len(data) == 3
    said = "\n".join(data.report())
    assert "2 skipped: no image, by its ending" in said
    assert "2 hidden files" in said and "3 hidden folders" in said


def test_a_data_set_beside_others_counts_what_lies_outside(tmp_path):
    lay(tmp_path, "m/bounding_box_train/0002_c1s1_1.jpg", "m/bounding_box_train/0003_c1s1_1.jpg")
    lay(tmp_path, "m/bounding_box_train_styled/0002_c1s1_1.jpg", "other/1.jpg", "other/2.jpg")
    assert {skip.reason: skip.count for skip in datasets.read(tmp_path).skipped} == {
        "in no folder, and on no list, for training, query or gallery": 1,
        "not in m, where the data set is": 2,
    }


def test_links_to_folders_are_followed_and_rounds_are_told(tmp_path):
    lay(tmp_path, "a/1.jpg", "b/1.jpg")
    (tmp_path / "c").symlink_to(tmp_path / "b")
    (tmp_path / "a" / "round").symlink_to(tmp_path)
    data = datasets.read(tmp_path)
    assert {row[1] for row in rows(data)} == {"a", "b", "c"} and len(data) == 3
    assert any("are not followed" in note for note in data.notes)


TABLES = {
    "semicolons and a mark of order": "\ufefffile_name;pid\na.jpg;1\nd/b c.jpg;2\n",
    "bars, spaces and blank lines": "file_name | pid\n a.jpg | 1\n\nd/b c.jpg | 2\n",
    "backslashes and a dot": "file_name,pid\n.\\a.jpg,1\nd\\b c.jpg,2\n",
    "other words": "Image Path,Individual-ID\na.jpg,1\nd/b c.jpg,2\n",
    "an index and a last comma": ",path,id,\n0,a.jpg,1,\n1,d/b c.jpg,2,\n",
    "quotes": '"file_name","pid"\r\n"a.jpg","1"\r\n"d/b c.jpg","2"\r\n',
    "no line of names": "a.jpg,1\nd/b c.jpg,2\n",
    "no line of names, identity first": "1,a.jpg\n2,d/b c.jpg\n",
    "no endings and other capitals": "file_name,pid\nA,1\nd/B c.JPG,2\n",
    "listed twice": "file_name,pid\na.jpg,1\n./a.jpg,1\nd/b c.jpg,2\n",
    "no value in words, no split": "file_name,pid,split\na.jpg,1,train\nd/b c.jpg,2,\nc.jpg,nan,\n",
}


@pytest.mark.parametrize("case", TABLES)
def test_a_table_is_read_as_it_was_meant(tmp_path, case):
    lay(tmp_path, "a.jpg", "d/b c.jpg", "c.jpg")
    (tmp_path / "t.csv").write_bytes(TABLES[case].encode())
    assert [row[:2] for row in rows(datasets.read(tmp_path / "t.csv"))] == [
        ("a.jpg", "1"),
        ("d/b c.jpg", "2"),
    ]


def test_a_list_a_json_array_and_whole_paths_are_tables_too(tmp_path):
    lay(tmp_path, "a.jpg", "d/b c.jpg")
    write(tmp_path / "train.txt", "a.jpg 1", "d/b c.jpg 2")
    write(tmp_path / "t.json", '[{"file_name": "a.jpg", "pid": 1},', ' {"file_name": "d/b c.jpg", "pid": 2}]')
    write(tmp_path / "x/whole.csv", "file_name,pid", f"{tmp_path}/a.jpg,1", f"{tmp_path}/d/b c.jpg,2")
    for name in ("train.txt", "t.json", "x/whole.csv"):
        assert [row[:2] for row in rows(datasets.read(tmp_path / name))] == [
            ("a.jpg", "1"),
            ("d/b c.jpg", "2"),
        ], name


def test_tables_named_after_their_splits_beside_the_folder_of_images(tmp_path):
    lay(tmp_path, "images/a.jpg", "images/b.jpg", "images/c.jpg")
    write(tmp_path / "train.csv", "image,label", "a.jpg,1", "b.jpg,1")
    write(tmp_path / "query.csv", "image,label", "c.jpg,2")
    data = datasets.read(tmp_path)
    assert rows(data) == [("images/a.jpg", "1", ""), ("images/b.jpg", "1", "")] and not data.skipped
    assert rows(data, "query") == [("images/c.jpg", "2", "")]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", "a.jpg,1,2\nb.jpg,2,3\n", "names no columns. Write a line with their names above it"),
        ("t.csv", "file_name,pid\nC:\\x\\a.jpg,1\n", "It is a whole path, of another machine"),
        ("t.csv", "file_name,pid\na.jpg,1\n\xff\n", "not UTF-8 near byte"),
        ("t.csv", '"file_name","pid"\n"a.jpg,1\n', "line 2: unexpected end of data"),
        ("t.jsonl", '{"file_name": "a.jpg", "pid": 1}\n{"file_name":\n', "line 2: no JSON"),
        ("t.json", '[\n{"file_name": "a.jpg", "pid": 1},\n{]\n', "line 3: no JSON"),
        (
            "t.jsonl",
            '{"file_name": "a.jpg", "pid": [1]}\n',
            "What holds objects, lists or bytes is not read: 'pid'",
        ),
        ("t.json", '{"a.jpg": 1, ' + ", ".join(f'"{k}.jpg": 1' for k in range(99)) + "}", "and 88 more"),
        ("t.xlsx", "PK", "save a spreadsheet as CSV"),
    ],
)
def test_a_table_that_is_none_is_refused_in_words(tmp_path, name, content, said):
    lay(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / name).write_bytes(content.encode("latin-1"))
    with pytest.raises(FastreidPruneError) as error:
        datasets.read(tmp_path / name)
    assert said in str(error.value) and name in str(error.value)


def test_parquet_with_images_in_it_is_refused_in_words(tmp_path):
    pq.write_table(
        pa.table({"image": [{"bytes": b"x", "path": "a.jpg"}], "label": [1]}), tmp_path / "t.parquet"
    )
    with pytest.raises(FastreidPruneError, match="What holds objects, lists or bytes is not read: 'image'"):
        datasets.read(tmp_path / "t.parquet")


def test_a_name_that_is_no_text_is_named(tmp_path):
    lay(tmp_path, "a/1.jpg", "b/1.jpg")
    (tmp_path / "a" / os.fsdecode(b"x\xff.jpg")).touch()
    with pytest.raises(FastreidPruneError, match="1 file names are not valid Unicode text: 'a/x"):
        datasets.read(tmp_path)


def test_one_identity_and_an_identity_for_each_image_are_told(tmp_path):
    with pytest.raises(FastreidPruneError, match="all 2 images are in the folder 'anna'.*Of one identity"):
        datasets.read(lay(tmp_path / "one", "anna/1.jpg", "anna/2.jpg"))
    data = datasets.read(lay(tmp_path / "each", "0/1.jpg", "1/1.jpg"))
    assert any("identity of its own" in note for note in data.notes)
