"""An exported Market-1501 folder says the same to every reader of that layout."""

import os
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from published_runs import rows_of, write_images, write_verdicts

from fastreid_prune.formats import export_run, import_lists
from fastreid_prune.formats.market_names import camera_numbers, market_names, market_numbers
from fastreid_prune.manifest import Manifest
from fastreid_prune.trajectory import Samples


def regex_reader(name):
    """As torchreid's Market1501 takes them: pid, camera; None where it leaves an image out or stops."""
    if not name.endswith(".jpg"):
        return None
    pid, camera = map(int, re.search(r"([-\d]+)_c(\d)", name).groups())
    return (pid, camera) if 0 <= pid <= 1501 and 1 <= camera <= 6 else None


def split_reader(name):
    """As layumi's prepare.py and demo.py take them."""
    if name[-3:] != "jpg":
        return None
    return int(name.split("_")[0]), int(name.split("c")[1][0])


def manifest_of(names, pids, camids):
    samples = Samples.from_items(names, pids, camids)
    ranks = np.arange(float(len(names)))
    return Manifest.build(samples, ranks, np.ones(len(names), bool), method="entropy", ratio=0.0)


SETS = {
    "two digits for a camera": ("{pid:04}_c{cam:03}_{n:06}.jpg", 700, 6),
    "other endings": ("{pid:04}_c{cam}s1_{n:06}_00.bmp", 700, 6),
    "endings in capitals": ("{pid:04}_c{cam}s1_{n:06}_00.JPG", 700, 6),
    "identities beyond 1501": ("{pid:04}_c{cam}s1_{n:06}_00.jpg", 9000, 6),
    "cameras with high numbers": ("{pid:04}_c{cam}s1_{n:06}_00.jpg", 700, 30),
    "names of no kind": ("IMG {n}.png", 700, 3),
}


@pytest.mark.parametrize(("pattern", "highest", "last"), SETS.values(), ids=SETS)
def test_every_reader_takes_the_same_identity_and_camera(pattern, highest, last):
    pids, cameras = np.arange(highest - 40, highest, 4), np.arange(last - 2, last + 1)
    rows = [(pid, cameras[(i + j) % 3]) for i, pid in enumerate(pids) for j in range(4)]
    names = ["d/" + pattern.format(pid=pid, cam=cam, n=n) for n, (pid, cam) in enumerate(rows)]
    manifest = manifest_of(names, [f"d_{pid}" for pid, _ in rows], [f"d_{cam - 1}" for _, cam in rows])
    given_names, notes = market_names(manifest)
    assert len(set(given_names)) == len(rows) and len(notes) == 1 and "have another name" in notes[0]
    table = [regex_reader(name) for name in given_names]
    assert table == [split_reader(name) for name in given_names] and None not in table
    people, seen_in = (dict(zip(column, said, strict=True)) for column, said in zip(
        (manifest.pid, manifest.camid), zip(*table, strict=True), strict=True))  # fmt: skip
    assert [
        (people[pid], seen_in[cam]) for pid, cam in zip(manifest.pid, manifest.camid, strict=True)
    ] == table
    assert len(set(people.values())) == len(people) and len(set(seen_in.values())) == len(seen_in)


def test_names_that_every_reader_understands_stay():
    names = [f"m/bounding_box_train/{pid:04}_c{cam}s1_{n:06}_00.jpg" for n, (pid, cam) in enumerate(
        [(2, 2), (2, 5), (1500, 2), (7, 6)])]  # fmt: skip
    manifest = manifest_of(names, ["m_2", "m_2", "m_1500", "m_7"], ["m_1", "m_4", "m_1", "m_5"])
    given_names, notes = market_names(manifest)
    assert [f"m/bounding_box_train/{name}" for name in given_names] == sorted(names) and notes == []


def test_a_camera_is_not_taken_from_names_that_contradict_the_data_set():
    names = ["a_c1.jpg", "0001_c1s1_000001_00.jpg", "0001_c2s1_000002_00.jpg", "0002_c1s1_000003_00.jpg"]
    assert camera_numbers(names, np.array(["x", "y", "y", "x"], object)) == {"x": 1, "y": 2}
    assert camera_numbers(names[1:], np.array(["m_3", "m_0", "m_0"], object)) == {"m_3": 4, "m_0": 1}


def test_more_cameras_and_identities_than_the_layout_has_are_told():
    count = 1600
    names = [f"d/{n}.jpg" for n in range(count)]
    manifest = manifest_of(names, [f"d_{n}" for n in range(count)], [f"d_{n % 12}" for n in range(count)])
    notes = " ".join(market_names(manifest)[1])
    assert (
        "12 cameras, and Market-1501's layout has 6" in notes and "some take camera 10 for camera 1" in notes
    )
    assert "1600 identities, and Market-1501's layout has 1501" in notes


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 5000).map("d_{}".format) | st.sampled_from(["ann", "bob"]), max_size=30))
def test_each_identity_has_a_number_of_its_own(pids):
    numbers = market_numbers(np.array([*pids, None], object)[:-1])
    assert set(numbers) == set(pids) and len(set(numbers.values())) == len(numbers)
    assert all(0 <= number <= 1501 for number in numbers.values())


def test_fastreid_reads_an_exported_folder_as_it_was_meant(scored_run, tmp_path):
    """Cameras c010 to c013, .bmp, identities beyond 1501; with a relabelled image."""
    from fastreid_prune.plugin.samples import training_samples

    rows = [(2000 + 7 * (n % 6), 10 + n % 4) for n in range(36)]
    names = Samples.from_items(
        [f"d/{pid:05}_c{cam:03}_{n:06}.bmp" for n, (pid, cam) in enumerate(rows)],
        [f"d_{pid}" for pid, _ in rows],
        [f"d_{cam - 1}" for _, cam in rows],
    )
    run = scored_run(names=names)
    write_verdicts(run, mislabelled=[3], outliers=[5])
    write_images(tmp_path / "data", names.file_name)
    summary = export_run(run, tmp_path / "out", ["market1501"], images=tmp_path / "data", copy=True)
    assert "34 of 34 images that keep their label have another name" in summary.notes[0]
    folder = next((tmp_path / "out").glob("*/market1501"))
    os.rename(folder, tmp_path / "Market-1501-v15.09.15")
    for other in ("query", "bounding_box_test"):
        (tmp_path / "Market-1501-v15.09.15" / other).mkdir()
    found = training_samples(["Market1501"], tmp_path)
    by_name = dict(zip(found.file_name, zip(found.pid, found.camid, strict=True), strict=True))
    listed = rows_of(tmp_path / "Market-1501-v15.09.15" / "names.csv")
    assert len(by_name) == len(listed) == 35
    for row in listed:
        pid, camera = regex_reader(row["name"])
        said = by_name[f"Market-1501-v15.09.15/bounding_box_train/{row['name']}"]
        assert said == (f"market1501_{pid}", f"market1501_{camera - 1}") and (pid, camera) == split_reader(
            row["name"]
        )
    assert len({(row["new_pid"], regex_reader(row["name"])[0]) for row in listed}) == 6
    assert len({(row["camid"], regex_reader(row["name"])[1]) for row in listed}) == 4
    # and it comes back, an identity being known by the number that it was given
    image = next(row for row in listed if row["new_pid"] == "d_2000")
    number = {row["new_pid"]: row["name"][:4] for row in listed}["d_2035"]
    images = tmp_path / "Market-1501-v15.09.15" / "bounding_box_train"
    (images / image["name"]).rename(images / f"{number}{image['name'][4:]}")
    import_lists(tmp_path / "Market-1501-v15.09.15", tmp_path / "m.csv", names, tmp_path / "data")
    manifest = Manifest.read(tmp_path / "m.csv")
    assert manifest.new_pid[manifest.file_name == image["file_name"]] == ["d_2035"]
    assert manifest.counts["outlier"] == 1 and manifest.counts["relabel"] == 2
