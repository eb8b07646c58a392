"""What is read, what is skipped and said, and what is refused with words that help."""

import pytest
from laid_out import lay, market, rows, write

from fastreid_prune import datasets
from fastreid_prune.errors import FastreidPruneError


def test_twelve_cameras_any_identity_every_ending_and_any_folder_above(tmp_path):
    market(tmp_path, cameras=range(1, 13), train=("9999", "anna"), root="my cameras")
    lay(tmp_path, "my cameras/bounding_box_train/0003_c1s1_000001_01.PNG")
    data = datasets.read(tmp_path)
    train = data.of_split("train")
    assert sorted(set(train.camid), key=int) == [str(cam) for cam in range(1, 13)]
    assert set(train.pid) == {"9999", "anna", "3"}
    assert data.name == "my-cameras"


@pytest.mark.parametrize("ending", [".png", ".bmp", ".JPG", ".jpeg", ".webp", ".tif", ".gif"])
def test_every_ending_of_an_image_counts(tmp_path, ending):
    assert len(datasets.read(market(tmp_path, ending=ending)).of_split("train")) == 6


def test_what_is_not_taken_is_counted_by_reason_and_named(tmp_path):
    market(tmp_path)
    root = "Market-1501-v15.09.15"
    lay(tmp_path, f"{root}/bounding_box_train/IMG_2041.jpg", f"{root}/gt_query/0002_c1s1_000451_03.jpg")
    lay(
        tmp_path,
        f"{root}/bounding_box_train/Thumbs.db",
        f"{root}/bounding_box_train/._0002_c1s1_000451_03.jpg",
    )
    said = "\n".join(datasets.read(tmp_path).report())
    assert (
        "1 skipped: the name does not say who is shown ('Market-1501-v15.09.15/bounding_box_train/IMG_2041.jpg')"
        in said
    )
    assert "1 skipped: in no folder, and on no list, for training, query or gallery" in said
    assert "1 skipped: no image, by its ending" in said
    assert "1 hidden files" in said


def test_only_training_images_are_a_whole_data_set(tmp_path):
    data = datasets.read(lay(tmp_path, "train/0002_c1s1_1.jpg", "train/0003_c1s1_1.jpg"))
    assert data.counts() == [("train", 2, 2, 1)]
    assert any("only training images" in note for note in data.notes)


def test_the_same_table_from_csv_json_lines_and_parquet(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    lay(tmp_path, "a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg")
    table = [
        ("a/1.jpg", 7, "k1", "train"),
        ("a/2.jpg", 7, "k12", "train"),
        ("b/3.jpg", 8, "k1", "query"),
        ("b/4.jpg", 8, "", "test"),
    ]
    write(tmp_path / "t.csv", "file_name,pid,camid,split", *(",".join(map(str, row)) for row in table))
    write(tmp_path / "t.tsv", "File\tlabel\tcamera\tsplit", *("\t".join(map(str, row)) for row in table))
    write(
        tmp_path / "semicolons.csv", "file_name;pid;camid;split", *(";".join(map(str, row)) for row in table)
    )
    write(
        tmp_path / "floats.csv", "file_name,pid,camid,split", *(f"{f},{p}.0,{c},{s}" for f, p, c, s in table)
    )
    write(
        tmp_path / "t.jsonl",
        *(f'{{"file_name": "{f}", "pid": {p}, "camid": "{c}", "split": "{s}"}}' for f, p, c, s in table),
    )
    columns = dict(
        zip(("file_name", "pid", "camid", "split"), map(list, zip(*table, strict=True)), strict=True)
    )
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    expected = [("a/1.jpg", "7", "k1"), ("a/2.jpg", "7", "k12")]
    for name in ("t.csv", "t.tsv", "semicolons.csv", "floats.csv", "t.jsonl", "t.parquet"):
        data = datasets.read(tmp_path / name)
        assert rows(data) == expected, name
        assert rows(data, "query") == [("b/3.jpg", "8", "k1")] and rows(data, "gallery") == [
            ("b/4.jpg", "8", "")
        ]


def test_metadata_of_hugging_face_in_each_split_s_folder(tmp_path):
    lay(tmp_path, "train/x.jpg", "train/y.jpg", "test/z.jpg", "train/extra.jpg")
    write(tmp_path / "train/metadata.csv", "file_name,label", "x.jpg,anna", "y.jpg,ben")
    write(tmp_path / "test/metadata.csv", "file_name,label", "z.jpg,clara")
    data = datasets.read(tmp_path)
    assert data.layout == "table" and rows(data) == [("train/x.jpg", "anna", ""), ("train/y.jpg", "ben", "")]
    assert rows(data, "gallery") == [("test/z.jpg", "clara", "")]
    assert [(skip.reason, skip.count) for skip in data.skipped] == [("not in the table", 1)]


def test_a_folder_s_only_table_is_read_where_nothing_else_says_who_is_shown(tmp_path):
    lay(tmp_path, "images/1.jpg", "images/2.jpg")
    write(tmp_path / "people.csv", "file_name,pid", "images/1.jpg,a", "images/2.jpg,b")
    assert [row[1] for row in rows(datasets.read(tmp_path))] == ["a", "b"]


def test_a_manifest_of_ours_gives_what_it_keeps(tmp_path):
    lay(tmp_path, "d/1.jpg", "d/2.jpg", "d/3.jpg")
    write(
        tmp_path / "manifest.csv",
        "file_name,pid,camid,new_pid,action,score,rank,reason",
        "d/1.jpg,market1501_2,market1501_0,market1501_2,keep,1,1,",
        "d/2.jpg,market1501_2,market1501_11,market1501_7,relabel,1,2,",
        "d/3.jpg,market1501_2,market1501_0,,prune,1,3,",
    )
    data = datasets.read(tmp_path / "manifest.csv")
    assert data.name == "market1501"
    assert rows(data) == [("d/1.jpg", "2", "0"), ("d/2.jpg", "7", "11")]
    assert data.skipped[0].count == 1


def test_a_table_written_is_read_again(tmp_path):
    data = datasets.read(market(tmp_path))
    data.write_csv(tmp_path / "dataset.csv")
    again = datasets.read(tmp_path)
    assert again.layout == "table"
    for split in datasets.SPLITS:
        assert rows(again, split) == rows(data, split)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["filename_,pid", "a.jpg,1"], r"no column file_name.*found 'filename_', 'pid'.*Is it 'filename_'"),
        (["file_name,name", "a.jpg,1"], "no column pid or label"),
        (["file_name,pid", "a.jpg,1", "b.jpg"], "line 3: 1 fields found, 2 expected"),
        (["file_name,pid", "nowhere/a.jpg,1"], "'nowhere/a.jpg' was looked for in"),
        (["file_name,pid,split", "a.jpg,1,foo"], "line 2: split 'foo' found"),
        (
            ["file_name,pid", "a.jpg,1", "a.jpg,2"],
            "lines 2 and 3: 'a.jpg' has the identity '1' and the identity '2'",
        ),
        (["file_name,pid"], "the table has no row"),
        (["file_name,pid,pid", "a.jpg,1,2"], "the column pid is there twice"),
    ],
)
def test_a_table_that_cannot_be_read_is_told_by_line_and_column(tmp_path, lines, said):
    lay(tmp_path, "a.jpg", "b.jpg")
    with pytest.raises(FastreidPruneError, match=said):
        datasets.read(write(tmp_path / "t.csv", *lines))


def test_rows_without_identity_or_image_are_counted(tmp_path):
    lay(tmp_path, "a.jpg", "b.jpg")
    write(tmp_path / "t.csv", "file_name,pid", "a.jpg,1", "b.jpg,", "gone.jpg,1", "a.jpg,1")
    data = datasets.read(tmp_path / "t.csv")
    assert [row[0] for row in rows(data)] == ["a.jpg"]
    assert sorted(skip.reason for skip in data.skipped) == [
        "listed again",
        "no identity in their row",
        "the table lists them, but they are not there",
    ]


def test_what_cannot_be_read_is_refused_with_a_way_out(tmp_path):
    lay(tmp_path, "market/x.txt", "some/IMG_1.jpg", "some/IMG_2.jpg")
    with pytest.raises(FastreidPruneError, match=r"no such file or folder. Did you mean '.*market'"):
        datasets.read(tmp_path / "markt")
    with pytest.raises(FastreidPruneError, match="no image in it"):
        datasets.read(tmp_path / "market")
    with pytest.raises(
        FastreidPruneError, match=r"(?s)2 images \('IMG_1.jpg', 'IMG_2.jpg'\), and nothing that says.*pattern"
    ):
        datasets.read(tmp_path / "some")
    with pytest.raises(FastreidPruneError, match="Did you mean 'market1501'"):
        datasets.read(tmp_path / "some", layout="market1502")
    with pytest.raises(FastreidPruneError, match="not in the layout veri"):
        datasets.read(tmp_path / "some", layout="veri")
    for pattern, said in (
        ("(", "no regular expression"),
        (r"\d+", "named groups none"),
        ("(?P<pid>x)", "none of the 2"),
    ):
        with pytest.raises(FastreidPruneError, match=said):
            datasets.read(tmp_path / "some", pattern=pattern)


def test_every_name_in_market_s_folders_being_odd_names_one_of_them(tmp_path):
    lay(tmp_path, "bounding_box_train/IMG_1.jpg", "bounding_box_train/IMG_2.jpg")
    with pytest.raises(FastreidPruneError, match="IMG_1.jpg"):
        datasets.read(tmp_path)


def test_links_that_go_round_are_listed_once(tmp_path):
    lay(tmp_path, "a/1.jpg", "b/1.jpg")
    (tmp_path / "a" / "round").symlink_to(tmp_path)
    assert len(datasets.read(tmp_path)) == 2
