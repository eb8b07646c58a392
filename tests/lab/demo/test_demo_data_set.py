"""The embedded data set as a user gets it: layout, truth, determinism, near-copies, planted errors."""

import re
from collections import Counter, defaultdict

import numpy as np
import pytest
from PIL import Image

from fastreid_prune.datasets.truth import read_truth
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.lab.demo import write_demo
from fastreid_prune.lab.demo.plan import plan_images, truth_rows

NAME = re.compile(r"(\d{4})_c([1-6])s([1-6])_(\d{6})_(\d{2})\.jpg")
SMALL = {"seed": 3, "train_ids": 10, "test_ids": 3, "wrong_labels": 0.1, "outliers": 0.1}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return write_demo(tmp_path_factory.mktemp("demo") / "small", **SMALL)


def pixels(demo, file):
    with Image.open(demo.folder / file) as image:
        return np.asarray(image, dtype=np.float32)


def test_two_renders_give_identical_bytes(demo, tmp_path):
    again = write_demo(tmp_path, **SMALL, processes=2)
    files = sorted(path.relative_to(demo.folder) for path in demo.folder.rglob("*") if path.is_file())
    assert files == sorted(
        path.relative_to(again.folder) for path in again.folder.rglob("*") if path.is_file()
    )
    assert all((demo.folder / file).read_bytes() == (again.folder / file).read_bytes() for file in files)


def test_another_seed_gives_other_people(demo):
    assert truth_rows(plan_images(4, 10, 3, 0.1, 0.1)) != truth_rows(plan_images(3, 10, 3, 0.1, 0.1))


def test_every_file_follows_market_1501s_pattern_and_truth_agrees_with_its_name(demo):
    rows = read_truth(demo.truth)
    on_disk = {path.relative_to(demo.folder).as_posix() for path in demo.folder.rglob("*.jpg")}
    assert {row.file for row in rows} == on_disk
    assert len(rows) == len(on_disk)
    folders = {"train": "bounding_box_train", "query": "query", "gallery": "bounding_box_test"}
    for row in rows:
        root, folder, name = row.file.split("/")
        assert root == "Market-1501-v15.09.15" and folder == folders[row.split]
        match = NAME.fullmatch(name)
        assert match and int(match[1]) == row.given_id and int(match[2]) == row.camera
        assert 0 <= row.given_id <= 1501


def test_images_have_the_size_of_a_person_crop(demo):
    for row in read_truth(demo.truth)[::20]:
        assert pixels(demo, row.file).shape == (128, 64, 3)


def test_test_identities_are_not_trained_on_and_every_query_has_a_match_in_another_camera(demo):
    rows = read_truth(demo.truth)
    train = {row.true_id for row in rows if row.split == "train"}
    query = [row for row in rows if row.split == "query"]
    gallery = [row for row in rows if row.split == "gallery"]
    assert query and not train & {row.true_id for row in query}
    for row in query:
        assert any(g.true_id == row.true_id and g.camera != row.camera for g in gallery)
    assert any(row.given_id == 0 for row in gallery)


def test_errors_are_planted_in_the_shares_asked_for(demo):
    train = [row for row in read_truth(demo.truth) if row.split == "train"]
    wrong = [row for row in train if row.is_mislabelled]
    outliers = [row for row in train if row.is_outlier]
    assert len(wrong) == round(0.1 * len(train))
    assert len(outliers) == round(0.1 * len(train))
    assert all(row.given_id != row.true_id for row in wrong)
    assert all(row.given_id == row.true_id for row in train if row.kind in ("clean", "near_copy"))
    assert demo.kinds == dict(Counter(row.kind for row in train))


def test_a_near_copy_is_nearer_to_its_source_than_to_other_images_of_the_same_person(demo):
    rows = [row for row in read_truth(demo.truth) if row.split == "train" and not row.is_outlier]
    of_person = defaultdict(list)
    for row in rows:
        of_person[row.true_id].append(row)
    blurred = {row.file: pixels(demo, row.file).reshape(32, 4, 16, 4, 3).mean((1, 3)) for row in rows}

    def distance(a, b):
        return float(np.abs(blurred[a] - blurred[b]).mean())

    copies = [row for row in rows if row.near_copy_of]
    assert len(copies) > 0.3 * len(rows)
    nearer = []
    for row in copies:
        bursts = {row.file, row.near_copy_of}
        others = [
            o for o in of_person[row.true_id] if o.file not in bursts and row.near_copy_of != o.near_copy_of
        ]
        nearer += [distance(row.file, row.near_copy_of) < distance(row.file, o.file) for o in others]
    assert np.mean(nearer) > 0.98
    assert np.mean([distance(row.file, row.near_copy_of) for row in copies]) < 12


def test_the_default_set_is_large_enough_and_about_half_near_copies():
    rows = truth_rows(plan_images(0, 120, 40, 0.05, 0.03))
    train = [row for row in rows if row.split == "train"]
    assert len({row.given_id for row in train}) == 120
    assert 2000 <= len(train) <= 2600
    assert 0.4 <= np.mean([bool(row.near_copy_of) for row in train]) <= 0.6
    assert len({row.file for row in rows}) == len(rows)
    assert {row.camera for row in train} == {1, 2, 3, 4, 5, 6}


def test_an_earlier_demo_is_replaced(tmp_path):
    write_demo(tmp_path, seed=0, train_ids=2, test_ids=1)
    summary = write_demo(tmp_path, seed=1, train_ids=3, test_ids=1)
    assert {row.file for row in read_truth(summary.truth)} == {
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.jpg")
    }


def test_what_an_interrupted_render_left_is_no_obstacle(tmp_path):
    (tmp_path / ".unfinished" / "Market-1501-v15.09.15").mkdir(parents=True)
    write_demo(tmp_path, train_ids=2, test_ids=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "Market-1501-v15.09.15",
        "testbed.json",
        "truth.csv",
    ]


def test_a_folder_with_something_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FastreidPruneError, match="thesis.txt"):
        write_demo(tmp_path, train_ids=2, test_ids=1)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_an_earlier_demo_to_which_somebody_added_images_is_refused(tmp_path):
    write_demo(tmp_path, train_ids=2, test_ids=1)
    added = tmp_path / "Market-1501-v15.09.15" / "query" / "mine.jpg"
    added.write_bytes(b"")
    with pytest.raises(FastreidPruneError, match="mine.jpg"):
        write_demo(tmp_path, train_ids=2, test_ids=1)
    assert added.exists()


@pytest.mark.parametrize(
    "arguments",
    [{"train_ids": 1}, {"train_ids": 1500, "test_ids": 40}, {"wrong_labels": 0.9}, {"outliers": -0.1}],
)
def test_arguments_out_of_range_are_refused(tmp_path, arguments):
    with pytest.raises(FastreidPruneError):
        write_demo(tmp_path, **arguments)
