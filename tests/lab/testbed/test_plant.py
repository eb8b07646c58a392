"""Test beds from data sets in the known layouts."""

import dataclasses
import os
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from fastreid_prune.datasets.truth import read_truth
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.lab.demo import write_demo
from fastreid_prune.lab.testbed import plant

ROOT = "Market-1501-v15.09.15"


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source") / "market"
    write_demo(folder, seed=1, train_ids=8, test_ids=2, wrong_labels=0.0, outliers=0.0)
    (folder / "truth.csv").unlink()
    (folder / "testbed.json").unlink()
    return folder


@pytest.fixture(scope="module")
def bed(market, tmp_path_factory):
    return plant(market, tmp_path_factory.mktemp("bed"), 0.2, "uniform", 0.1, seed=4)


def picture(path, side, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng([seed, side]).integers(0, 255, (side * 2, side, 3))
    Image.fromarray(noise.astype(np.uint8)).save(path, quality=95)


def of_split(folder, split="train"):
    return [row for row in read_truth(folder / "truth.csv") if row.split == split]


def test_truth_names_every_file_and_the_shares_are_those_asked_for(market, bed):
    rows = read_truth(bed.truth)
    assert {row.file for row in rows} == {
        p.relative_to(bed.folder).as_posix() for p in bed.folder.rglob("*.jpg")
    }
    assert len(rows) == len(list(market.rglob("*.jpg")))
    train = of_split(bed.folder)
    assert sum(row.is_mislabelled for row in train) == round(0.2 * len(train))
    assert sum(row.is_outlier for row in train) == round(0.1 * len(train))
    assert bed.kinds == dict(Counter(row.kind for row in train))


def test_a_wrong_label_is_the_same_picture_under_another_number(market, bed):
    for row in of_split(bed.folder):
        if row.is_mislabelled:
            name = os.path.basename(row.file)
            assert int(name.split("_")[0]) == row.given_id != row.true_id
            original = market / ROOT / "bounding_box_train" / f"{row.true_id:04d}{name[4:]}"
            assert (bed.folder / row.file).read_bytes() == original.read_bytes()


def test_unchanged_images_are_links_or_copies_and_outliers_are_new_pictures(market, bed):
    for row in read_truth(bed.truth):
        source = market / row.file
        if row.is_outlier:
            assert (bed.folder / row.file).read_bytes() != source.read_bytes()
        elif not row.is_mislabelled:
            assert (bed.folder / row.file).read_bytes() == source.read_bytes()


def test_query_and_gallery_are_untouched(market, bed):
    for folder in ("query", "bounding_box_test"):
        names = sorted(path.name for path in (market / ROOT / folder).iterdir())
        assert names == sorted(path.name for path in (bed.folder / ROOT / folder).iterdir())


def test_the_same_seed_plants_the_same_bytes(market, bed, tmp_path):
    again = plant(market, tmp_path, 0.2, "uniform", 0.1, seed=4)
    assert again.truth.read_bytes() == bed.truth.read_bytes()
    for row in read_truth(bed.truth):
        assert (again.folder / row.file).read_bytes() == (bed.folder / row.file).read_bytes()


def test_an_earlier_truth_is_kept_and_errors_are_planted_among_the_rest(tmp_path):
    before = write_demo(tmp_path / "demo", seed=2, train_ids=8, test_ids=2, wrong_labels=0.1, outliers=0.1)
    plant(tmp_path / "demo", tmp_path / "bed", 0.1, "patterned", 0.0)
    old = {row.file: row for row in read_truth(before.truth)}
    new = {row.file: row for row in read_truth(tmp_path / "bed" / "truth.csv")}
    for file, row in old.items():
        if row.split == "train" and (row.is_mislabelled or row.is_outlier):
            assert dataclasses.replace(new[file], near_copy_of=row.near_copy_of) == row
    assert sum(row.is_mislabelled for row in new.values()) == 2 * before.kinds["wrong_label"]
    assert all(not row.near_copy_of or row.near_copy_of in new for row in new.values())


def test_a_name_that_is_taken_gets_a_number(tmp_path):
    root = tmp_path / "source" / ROOT
    for folder, pid in (("query", 9), ("bounding_box_test", 9)):
        picture(root / folder / f"{pid:04d}_c1s1_000001_00.jpg", 16)
    for pid in (1, 2):
        for frame in range(4):
            picture(root / "bounding_box_train" / f"{pid:04d}_c1s1_{frame:06d}_00.jpg", 16, seed=pid)
    plant(tmp_path / "source", tmp_path / "bed", 0.5, "uniform", 0.0)
    assert len(list((tmp_path / "bed" / ROOT / "bounding_box_train").iterdir())) == 8
    assert sum(row.is_mislabelled for row in of_split(tmp_path / "bed")) == 4


def test_veri_and_msmt17_layouts(tmp_path):
    veri = tmp_path / "veri_root"
    msmt = tmp_path / "msmt_root" / "MSMT17_V1"
    for pid in range(1, 5):
        for k in range(6):
            picture(veri / "veri" / "image_train" / f"{pid:04d}_c{k + 1:03d}_0000000{k}_0.jpg", 20, seed=pid)
            picture(
                msmt / "train" / f"{pid - 1:04d}" / f"{pid - 1:04d}_00{k}_0{k + 1}_0303morning_0008_{k}.jpg",
                20,
            )
    for folder in ("image_query", "image_test"):
        picture(veri / "veri" / folder / "0700_c001_00000001_0.jpg", 20)
    for k in range(2):
        picture(msmt / "test" / "0000" / f"0000_00{k}_01_0303morning_0009_{k}.jpg", 20)
    train = sorted(path.relative_to(msmt / "train").as_posix() for path in (msmt / "train").rglob("*.jpg"))
    (msmt / "list_train.txt").write_text("".join(f"{file} {int(file[:4])}\n" for file in train))
    for k, split in enumerate(("query", "gallery")):
        (msmt / f"list_{split}.txt").write_text(f"0000/0000_00{k}_01_0303morning_0009_{k}.jpg 0\n")

    plant(veri, tmp_path / "veri_bed", 0.25, "patterned", 0.1)
    rows = of_split(tmp_path / "veri_bed")
    assert sum(row.is_mislabelled for row in rows) == 6
    assert all(int(os.path.basename(row.file)[:4]) == row.given_id for row in rows)

    plant(msmt.parent, tmp_path / "msmt_bed", 0.25, "uniform", 0.1)
    rows = of_split(tmp_path / "msmt_bed")
    listed = dict(
        line.split(" ") for line in (tmp_path / "msmt_bed/MSMT17_V1/list_train.txt").read_text().splitlines()
    )
    assert sum(row.is_mislabelled for row in rows) == 6
    assert {f"MSMT17_V1/train/{file}": int(pid) for file, pid in listed.items()} == {
        r.file: r.given_id for r in rows
    }
    plant(msmt.parent, tmp_path / "msmt_bed", 0.0, "uniform", 0.0)


def test_what_cannot_be_planted_is_said(market, tmp_path):
    with pytest.raises(FastreidPruneError, match="no image in it"):
        plant(tmp_path, tmp_path / "bed")
    with pytest.raises(FastreidPruneError, match="pattern"):
        plant(market, tmp_path / "bed", pattern="checked")
    with pytest.raises(FastreidPruneError, match="0.9"):
        plant(market, tmp_path / "bed", wrong_labels=0.9)
    with pytest.raises(FastreidPruneError, match="itself"):
        plant(market, market)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.md").write_text("mine")
    with pytest.raises(FastreidPruneError, match="notes.md"):
        plant(market, tmp_path / "full")


def test_an_image_that_cannot_be_read_is_named(market, tmp_path):
    root = tmp_path / "source" / ROOT
    for folder in ("query", "bounding_box_test"):
        picture(root / folder / "0009_c1s1_000001_00.jpg", 16)
    for pid in (1, 2):
        for frame in range(4):
            path = root / "bounding_box_train" / f"{pid:04d}_c1s1_{frame:06d}_00.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"no picture")
    with pytest.raises(FastreidPruneError, match=r"_c1s1_00000\d_00.jpg"):
        for seed in range(5):
            plant(tmp_path / "source", tmp_path / "bed", 0.0, "uniform", 0.3, seed)
    assert not (tmp_path / "bed" / "truth.csv").exists()


@pytest.mark.parametrize(
    "pattern", ["tracklet", "split:0.3", "merge:0.3", "uniform:0.05,tracklet:0.1,split:0.2"]
)
def test_patterns_of_groups_are_files_under_other_numbers(market, tmp_path, pattern):
    made = plant(market, tmp_path / "bed", 0.1, pattern, 0.0, seed=2)
    rows = of_split(made.folder)
    changed = [row for row in rows if row.kind != "clean"]
    assert changed and all(row.given_id != row.true_id for row in changed)
    for row in rows:
        assert int(os.path.basename(row.file)[:4]) == row.given_id
        assert (made.folder / row.file).is_file()
    given, true = {row.given_id for row in rows}, {row.true_id for row in rows}
    if pattern.startswith("merge"):
        assert len(given) == len(true) - 2
    if pattern.startswith("split"):
        assert len(given) == len(true) + 2
        others = {row.given_id for row in read_truth(made.truth) if row.split != "train"}
        assert not (given - true) & others


def test_a_data_set_in_any_other_layout_becomes_a_test_bed_in_market_s(tmp_path):
    from fastreid_prune import datasets

    for who in ("anna", "ben", "clara"):
        for k in range(4):
            picture(tmp_path / "people" / "train" / who / f"{k}.PNG", 16, seed=k)
    for k in range(2):
        picture(tmp_path / "people" / ("query", "gallery")[k] / "dora" / f"{k}.PNG", 16, seed=k)
    planted = plant(tmp_path / "people", tmp_path / "bed", 0.25, "uniform", 0.1)
    assert planted.images == {"train": 12, "query": 1, "gallery": 1}
    bed = datasets.read(tmp_path / "bed")
    assert bed.layout == "market1501" and set(bed.file_name) == {
        row.file for row in read_truth(planted.truth)
    }
    assert sum(row.is_mislabelled for row in of_split(tmp_path / "bed")) == 3


def test_every_ending_and_camera_of_a_market_folder_is_in_the_test_bed(tmp_path):
    root = tmp_path / "source" / ROOT
    for k, ending in enumerate((".jpg", ".png", ".bmp", ".JPG")):
        for pid in (1, 2):
            picture(root / "bounding_box_train" / f"{pid:04d}_c{k + 9}s1_{k:06d}_00{ending}", 16, seed=k)
    plant(tmp_path / "source", tmp_path / "bed", 0.0, "uniform", 0.0)
    rows = of_split(tmp_path / "bed")
    assert len(rows) == 8 and {row.camera for row in rows} == {9, 10, 11, 12}
