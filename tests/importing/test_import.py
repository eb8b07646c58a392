import csv
import io
import json
import os
import pickle
import shutil
import struct
import zipfile

import numpy as np
import pytest
from published_runs import rows_of, tree, write_images, write_verdicts

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.export import export_run
from fastreid_prune.importing import import_lists, listed_datasets
from fastreid_prune.manifest import COLUMNS, Manifest
from fastreid_prune.pruning import prune
from fastreid_prune.trajectory import Samples, load_trajectory


class Published:
    """A data set on disk and the lists of a run on it, whose folder is gone."""

    def __init__(self, scored_run, folder, formats=("lists",), **options):
        self.folder = folder
        self.run = scored_run(samples=60)
        self.samples = load_trajectory(self.run).samples
        write_verdicts(self.run, mislabelled=[2, 9, 11], outliers=[5, 6])
        self.root = folder / "data"
        write_images(self.root, self.samples.file_name)
        self.pruned = Manifest.read(prune(self.run, 0.3, output=folder / "pruned.csv").manifest)
        self.purified = Manifest.read(
            prune(self.run, 0.3, purify=True, output=folder / "purified.csv").manifest
        )
        if "market1501" in formats:
            options["manifest"] = folder / "purified.csv"
        export_run(self.run, folder / "out", formats, images=self.root, **options)
        self.lists = folder / "out" / "Market1501"
        shutil.rmtree(self.run)

    def read(self, lists=None, samples=None, **options):
        output = self.folder / "imported.csv"
        samples = self.samples if samples is None else samples
        self.summary = import_lists(lists or self.lists, output, samples, self.root, **options)
        return Manifest.read(output)


def shuffled(samples, seed=0):
    order = np.random.default_rng(seed).permutation(len(samples))
    return Samples.from_items(samples.file_name[order], samples.pid[order], samples.camid[order])


def same_decisions(one, other, names=COLUMNS[:6]):
    for name in names:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("purify", [False, True])
def test_our_lists_come_back_as_the_manifest_of_the_run(scored_run, tmp_path, purify):
    published = Published(scored_run, tmp_path)
    manifest = published.read(ratio=0.3, purify=purify, samples=shuffled(published.samples))
    same_decisions(manifest, published.purified if purify else published.pruned)
    assert published.summary.tally.rows == published.summary.tally.matched == 60
    assert published.summary.tally.lines() == [] and published.summary.unlisted == 0


@pytest.mark.parametrize("purify", [False, True])
def test_the_papers_three_files_alone_give_the_same_decisions(scored_run, tmp_path, purify):
    published = Published(scored_run, tmp_path)
    (tmp_path / "paper").mkdir()
    for name in ("fpath_list.npy", "Ranking_list.npy", "Mislabeled_outlier_samples.pickle"):
        shutil.copy(published.lists / name, tmp_path / "paper")
    manifest = published.read(tmp_path / "paper", ratio=0.3, purify=purify)
    same_decisions(manifest, published.purified if purify else published.pruned, COLUMNS[:5])


def test_the_papers_files_of_others_are_read_however_they_saved_them(scored_run, tmp_path):
    published = Published(scored_run, tmp_path)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    names = np.load(published.lists / "fpath_list.npy")
    ranking = np.load(published.lists / "Ranking_list.npy")
    elsewhere = np.array([f"/home/someone/datasets/{name}" for name in names], dtype=object)
    np.save(theirs / "fpath_list.npy", elsewhere, allow_pickle=True)
    np.save(theirs / "Ranking_list.npy", np.array([os.path.basename(name).encode() for name in ranking]))
    os.rename(theirs / "Ranking_list.npy", theirs / "Ranking_list")
    with open(theirs / "Mislabeled_outlier_samples.pickle", "wb") as file:
        pair = np.array([[2, 4], [9, 5], [11, 1], [0, 1], [13, 99], [999, 1]], np.int32)
        pickle.dump({"x": pair, "y": np.array([5.0, 6.0])}, file, protocol=4)
    manifest = published.read(theirs, ratio=0.3, purify=True)
    same_decisions(manifest, published.purified, COLUMNS[:5])
    lines = "\n".join(published.summary.tally.lines())
    assert "1 rows of the mislabelled have an index beyond" in lines and "unknown here: '99'" in lines
    assert published.summary.tally.by_last_part == 60


def test_a_malicious_pickle_among_the_lists_does_nothing(scored_run, tmp_path):
    published = Published(scored_run, tmp_path)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    for name in ("fpath_list.npy", "Ranking_list.npy"):
        shutil.copy(published.lists / name, theirs)

    class Bomb:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'executed'}",)

    for target, what in (("Mislabeled_outlier_samples.pickle", Bomb()), ("fpath_list.npy", Bomb())):
        if target.endswith("npy"):
            np.save(theirs / target, np.array([what], dtype=object), allow_pickle=True)
        else:
            (theirs / target).write_bytes(pickle.dumps({"a": what}))
        with pytest.raises(FastreidPruneError, match="nothing was executed"):
            published.read(theirs)
    assert not (tmp_path / "executed").exists() and not (tmp_path / "imported.csv").exists()


HALVES = b"]q\x00(K\x01K\x02e" + b"".join(b"]q%c(h%ch%ce" % (n, n - 1, n - 1) for n in range(1, 60))
VERDICTS = {
    "rows of different lengths": (pickle.dumps({"a": [[1], [1, 2]]}), "found .'a list'"),
    "a list in itself": (b"}(K\x01]q\x00h\x00au.", "found .'a list'"),
    "lists that double 60 times": (b"(" + HALVES + b"t.", "found .*'a list'"),
    "two arrays of one kind": (pickle.dumps([np.arange(3), np.arange(4)]), r"found .'\[3\]', '\[4\]'"),
    "three columns": (pickle.dumps({"a": np.zeros((4, 3))}), r"found .'\[4, 3\]'"),
    "a number": (pickle.dumps(7), "found int"),
    "nothing": (pickle.dumps({}), "found dict"),
}


@pytest.mark.parametrize(("data", "message"), VERDICTS.values(), ids=VERDICTS)
def test_verdicts_that_are_not_two_arrays_are_refused(scored_run, tmp_path, data, message):
    published = Published(scored_run, tmp_path)
    (published.lists / "lists.json").unlink()
    (published.lists / "Mislabeled_outlier_samples.pickle").write_bytes(data)
    with pytest.raises(FastreidPruneError, match=f"expected a dictionary of two arrays.*{message}"):
        published.read()


@pytest.mark.parametrize("empty", [np.zeros((0, 2), np.int64), np.array([]), []])
def test_nobody_mislabelled_may_be_any_empty_array(scored_run, tmp_path, empty):
    published = Published(scored_run, tmp_path)
    (published.lists / "lists.json").unlink()
    data = pickle.dumps({"mislabelled": empty, "outliers": [5, 6]})
    (published.lists / "Mislabeled_outlier_samples.pickle").write_bytes(data)
    assert published.read(purify=True).counts["outlier"] == 2


def test_indices_that_are_no_numbers_of_a_list_are_counted(scored_run, tmp_path):
    published = Published(scored_run, tmp_path)
    (published.lists / "lists.json").unlink()
    odd = [[10**5000, 1], ["\ud800", 1], [float("nan"), 1], [-1, 2], [2, 10**5000]]
    data = pickle.dumps({"a": odd, "b": [10**5000, 1.5, "x"]})
    (published.lists / "Mislabeled_outlier_samples.pickle").write_bytes(data)
    published.read(purify=True)
    found = published.summary.tally
    assert list(found.problems.values()) == [4, 1, 3]
    assert "a number of 16610 bits" in found.lines()[0]


def test_lists_of_several_data_sets_become_one_manifest(scored_run, tmp_path):
    names = Samples.from_items(
        [f"{'A' if i % 2 else 'B'}/{i}.jpg" for i in range(40)],
        [f"{'msmt17' if i % 2 else 'veri'}_{i % 5}" for i in range(40)],
        [f"c_{i % 3}" for i in range(40)],
    )
    run = scored_run(names=names)
    direct = Manifest.read(prune(run, 0.4).manifest)
    export_run(run, tmp_path / "out")
    summary = import_lists(tmp_path / "out", tmp_path / "m.csv", names, tmp_path, ratio=0.4)
    same_decisions(Manifest.read(tmp_path / "m.csv"), direct)
    assert summary.tally.matched == 40


def test_what_does_not_match_is_counted_and_named(scored_run, tmp_path):
    published = Published(scored_run, tmp_path)
    more = [f"Market-1501-v15.09.15/bounding_box_train/0001_c1s1_9{i:05}_00.jpg" for i in range(4)]
    samples = Samples.from_items(
        [*published.samples.file_name[3:], *more],
        ["market1501_6", *published.samples.pid[4:], *["market1501_1"] * 4],
        [*published.samples.camid[3:], *["market1501_0"] * 4],
    )
    manifest = published.read(samples=samples, ratio=0.5)
    summary = published.summary
    lines = "\n".join(summary.tally.lines())
    assert f"3 rows name no image of the data set: '{published.samples.file_name[0]}'" in lines
    assert "1 rows give another identity than the data set" in lines
    assert summary.unlisted == 4 and summary.unlisted_examples == more
    # what the lists do not know is kept and does not count: half of 57
    assert manifest.counts["prune"] == 28 and manifest.action[manifest.file_name == more[0]] == ["keep"]


def test_lists_for_another_data_set_are_refused(scored_run, tmp_path):
    published = Published(scored_run, tmp_path)
    other = Samples.from_items(["x/1.jpg", "x/2.jpg"], ["a", "b"], ["c", "c"])
    with pytest.raises(FastreidPruneError, match="none of the 60 listed names .* for another data set"):
        published.read(samples=other)


def test_lists_that_were_changed_are_refused_until_it_is_accepted(scored_run, tmp_path):
    published = Published(scored_run, tmp_path)
    path = published.lists / "scores.csv"
    path.write_text(path.read_text().replace("outlier", "clean"))
    with pytest.raises(FastreidPruneError, match="1 of 10 files differ from it or are missing: 'scores.csv'"):
        published.read()
    assert published.read(edited=True, purify=True).counts["outlier"] == 0


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "/etc/passwd", "a\0b.jpg", "..\\..\\x.jpg", "x" * 9000]
)
def test_hostile_names_in_lists_match_nothing(scored_run, tmp_path, name):
    published = Published(scored_run, tmp_path)
    before = tree(tmp_path)
    with open(published.lists / "scores.csv", "a", newline="") as file:
        csv.writer(file).writerows([[name, "market1501_1", "c", *["1"] * 20][: len(header(published))]] * 3)
    published.read(edited=True)
    assert sum(published.summary.tally.problems.values()) == 3
    after = tree(tmp_path)
    assert set(after) - set(before) == {"imported.csv", "imported.json"}


def header(published):
    with open(published.lists / "scores.csv", newline="") as file:
        return next(csv.reader(file))


def test_rows_said_twice_and_garbled_rows_are_counted(scored_run, tmp_path):
    published = Published(scored_run, tmp_path)
    path = published.lists / "scores.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[1], "only,three,fields", lines[2].replace("clean", "?")]) + "\n")
    published.read(edited=True)
    found = published.summary.tally.problems
    assert found["name an image again"] == 2 and sum(found.values()) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"schema_version": 2, "method": "entropy"}', "schema version 2 is newer"),
        ('{"schema_version": 1}', "method is missing"),
        ("[" * 100_000, "lists.json: cannot be read"),
        ("\xff", "lists.json: cannot be read|missing"),
    ],
)
def test_lists_of_a_newer_or_no_schema_are_refused(scored_run, tmp_path, text, message):
    published = Published(scored_run, tmp_path)
    (published.lists / "lists.json").write_text(text, encoding="latin-1")
    with pytest.raises(FastreidPruneError, match=message):
        published.read(edited=True)


class Corrected(Published):
    """A purified Market-1501 folder, as a person gets it."""

    def __init__(self, scored_run, folder, copy=True):
        super().__init__(scored_run, folder, ["market1501"], copy=copy)
        self.lists = self.lists / "market1501"
        self.images = self.lists / "bounding_box_train"

    def correct(self):
        """Rename one image to another person, one to a new person, delete one; what the manifest should be."""
        names = sorted(os.listdir(self.images))
        table = {row["name"]: row["file_name"] for row in rows_of(self.lists / "names.csv")}
        other = f"{int(names[0][:4]) % 6 + 1:04}{names[0][4:]}"
        os.rename(self.images / names[0], self.images / other)
        os.rename(self.images / names[1], self.images / f"0777{names[1][4:]}")
        os.remove(self.images / names[2])
        return {
            table[names[0]]: ("relabel", f"market1501_{int(other[:4])}"),
            table[names[1]]: ("relabel", "market1501_777"),
            table[names[2]]: ("outlier", ""),
        }


def decisions(manifest):
    return dict(zip(manifest.file_name, zip(manifest.action, manifest.new_pid, strict=True), strict=True))


@pytest.mark.parametrize("copy", [True, False], ids=["copies", "links"])
@pytest.mark.parametrize("names_file", [True, False], ids=["names.csv", "no names.csv"])
def test_a_folder_that_a_person_corrected_comes_back(scored_run, tmp_path, copy, names_file):
    corrected = Corrected(scored_run, tmp_path, copy)
    same_decisions(corrected.read(), corrected.purified)
    expected = corrected.correct()
    if not names_file:
        (corrected.lists / "names.csv").unlink()
    manifest = corrected.read()
    before, after = decisions(corrected.purified), decisions(manifest)
    assert {name: after[name] for name in after if after[name] != before[name]} == expected
    assert corrected.summary.new_ids == ["market1501_777"] and not corrected.summary.tally.problems
    manifest.check_against(corrected.samples.file_name, corrected.samples.pid)


def test_a_corrected_folder_of_a_whole_data_set_needs_nothing_else(scored_run, tmp_path):
    corrected = Corrected(scored_run, tmp_path)
    shutil.rmtree(corrected.lists)
    mine = tmp_path / "mine" / "bounding_box_train"
    shutil.copytree(corrected.root / "Market-1501-v15.09.15" / "bounding_box_train", mine)
    name = sorted(os.listdir(mine))[0]
    os.rename(mine / name, mine / f"0003{name[4:]}")
    os.remove(mine / sorted(os.listdir(mine))[-1])
    manifest = corrected.read(tmp_path / "mine")
    assert manifest.counts == {"keep": 58, "prune": 0, "relabel": 1, "outlier": 1}
    assert manifest.about["method"] == "by hand"
    with pytest.raises(FastreidPruneError, match="nothing ranks the images"):
        corrected.read(tmp_path / "mine", ratio=0.2)


def test_corrections_can_be_pruned_again(scored_run, tmp_path):
    corrected = Corrected(scored_run, tmp_path)
    corrected.correct()
    manifest = corrected.read(ratio=0.5)
    assert manifest.counts["outlier"] == 3 and manifest.counts["prune"] == 28


def test_links_that_lead_out_of_the_data_set_are_not_followed(scored_run, tmp_path):
    corrected = Corrected(scored_run, tmp_path, copy=False)
    secret = tmp_path / "secret"
    secret.write_bytes((corrected.root / corrected.samples.file_name[0]).read_bytes())
    for number, target in enumerate([secret, "/etc/passwd", "../../../../../../etc/passwd", "."]):
        os.symlink(target, corrected.images / f"0001_c1s1_77777{number}_00.jpg")
    os.mkfifo(corrected.images / "0001_c1s1_888888_00.jpg")
    same_decisions(corrected.read(), corrected.purified)
    assert corrected.summary.tally.problems == {"are links that lead out of the data set": 4}


def cvat_xml(entries):
    images = "".join(
        f'<image id="{number}" name="{name}" width="64" height="128">'
        f'<tag label="{label}" source="manual"><attribute name="camera_id">0</attribute>{attribute}</tag></image>\n'
        for number, (name, label, attribute) in enumerate(entries)
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>{images}</annotations>\n'
    )


@pytest.mark.parametrize("zipped", [False, True])
def test_what_a_person_did_in_cvat_comes_back(scored_run, tmp_path, zipped):
    corrected = Corrected(scored_run, tmp_path)
    table = {row["name"]: row for row in rows_of(corrected.lists / "names.csv")}
    names = sorted(table)
    person = {name: row["new_pid"].split("_")[1] for name, row in table.items()}
    person[names[0]], person[names[1]] = str(int(person[names[0]]) % 6 + 1), "777"
    entries = [
        (
            f"bounding_box_train/{name}",
            "market-1501",
            f'<attribute name="person_id">{person[name]}</attribute>',
        )
        for name in names
    ]
    entries[2] = (entries[2][0], "outlier", entries[2][2])
    path = tmp_path / "annotations.xml"
    path.write_text(cvat_xml(entries))
    if zipped:
        with zipfile.ZipFile(tmp_path / "task.zip", "w") as archive:
            archive.write(path, "annotations.xml")
            archive.writestr("../../evil.txt", "x")
        path = tmp_path / "task.zip"
    manifest = corrected.read(path, base=corrected.lists / "manifest.csv")
    before, after = decisions(corrected.purified), decisions(manifest)
    files = [table[name]["file_name"] for name in names]
    assert {name: after[name] for name in after if after[name] != before[name]} == {
        files[0]: ("relabel", f"market1501_{person[names[0]]}"),
        files[1]: ("relabel", "market1501_777"),
        files[2]: ("outlier", ""),
    }
    assert not corrected.summary.tally.problems


def test_a_market_archive_comes_back(scored_run, tmp_path):
    corrected = Corrected(scored_run, tmp_path)
    expected = corrected.correct()
    with zipfile.ZipFile(tmp_path / "market.zip", "w") as archive:
        for name in sorted(os.listdir(corrected.images)):
            archive.write(corrected.images / name, f"bounding_box_train/{name}")
    manifest = corrected.read(tmp_path / "market.zip", base=corrected.lists / "manifest.csv")
    before, after = decisions(corrected.purified), decisions(manifest)
    assert {name: after[name] for name in after if after[name] != before[name]} == expected


def test_an_archive_of_names_alone_comes_back(scored_run, tmp_path):
    corrected = Corrected(scored_run, tmp_path)
    expected = corrected.correct()
    names = "".join(f"bounding_box_default/{name}\n" for name in sorted(os.listdir(corrected.images)))
    with zipfile.ZipFile(tmp_path / "market.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images_default.txt", names)
    manifest = corrected.read(tmp_path / "market.zip", base=corrected.lists / "manifest.csv")
    before, after = decisions(corrected.purified), decisions(manifest)
    assert {name: after[name] for name in after if after[name] != before[name]} == expected


def test_test_images_beside_the_training_images_are_none_of_it(scored_run, tmp_path):
    corrected = Corrected(scored_run, tmp_path)
    with zipfile.ZipFile(tmp_path / "market.zip", "w") as archive:
        for name in sorted(os.listdir(corrected.images)):
            archive.write(corrected.images / name, f"m/bounding_box_train/{name}")
            archive.writestr(f"m/bounding_box_test/9{name[1:]}", "x")
            archive.writestr(f"m/query/9{name[1:]}", "x")
    same_decisions(
        corrected.read(tmp_path / "market.zip", base=corrected.lists / "manifest.csv"), corrected.purified
    )
    assert not corrected.summary.tally.problems


def test_a_folder_that_cvat_named_after_its_subset_comes_back(scored_run, tmp_path):
    corrected = Corrected(scored_run, tmp_path)
    (corrected.lists / "bounding_box_test").mkdir()
    (corrected.lists / "bounding_box_test" / "0009_c1s1_000000_00.jpg").write_bytes(b"x")
    corrected.images.rename(corrected.lists / "bounding_box_default")
    same_decisions(corrected.read(), corrected.purified)


ENTITY = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><annotations>&b;</annotations>'


def zipped(content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("annotations.xml", content)
    return file.getvalue()


def broken():
    """A ZIP whose first member is no deflated stream."""
    data = bytearray(zipped(b"<annotations>" * 50))
    data[45:60] = b"\xff" * 15
    return bytes(data)


def crowded(size):
    """The end of a ZIP that says its list of members has ``size`` bytes, as ZIP64 where it must."""
    if size < 1 << 32:
        return struct.pack("<4s8xII2x", b"PK\x05\x06", size, 0)
    record = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, size, 0)
    end = struct.pack("<4s8xII2x", b"PK\x05\x06", 0xFFFFFFFF, 0xFFFFFFFF)
    return record + struct.pack("<4sIQI", b"PK\x06\x07", 0, 0, 1) + end


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xml", ENTITY.encode(), "declares a document type"),
        ("a.xml", b"<annotations><image", "no well-formed XML"),
        ("a.xml", b"", "no well-formed XML"),
        ("a.xml", b"<annotations></annotations>", "no annotated image"),
        ("a.xml", b"\xff\xfe\x00", "no well-formed XML"),
        ("a.zip", b"PK\x05\x06" + b"\0" * 18, "no annotated image"),
        ("a.zip", b"PK\x03\x04garbage", "no whole XML or ZIP"),
        ("a.zip", zipped(b"<annotations>" + b"<a>" * 10_000_000), "nested more than 100 deep"),
        ("a.zip", zipped(b"<annotations><image name='" + b"x" * (40 << 20)), "a tag of more than 16 MiB"),
        ("a.zip", zipped(b"<annotations/>" * 9)[:60] + b"\xff" * 60, "no whole XML or ZIP"),
        ("a.zip", broken(), "no whole XML or ZIP.*decompress"),
        ("a.zip", crowded(1 << 31), "2048 MiB of names of members"),
        ("a.zip", crowded(1 << 40), "1048576 MiB of names of members"),
        ("a.npz", b"", "no whole XML or ZIP"),
    ],
)
def test_annotations_that_are_none_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    samples = Samples.from_items(["s/1.jpg"], ["m_1"], ["c"])
    with pytest.raises(FastreidPruneError, match=message):
        import_lists(tmp_path / name, tmp_path / "m.csv", samples, tmp_path)


def test_a_manifest_edited_by_hand_comes_back(scored_run, tmp_path):
    published = Published(scored_run, tmp_path)
    rows = rows_of(tmp_path / "pruned.csv")
    chosen = next(row for row in rows if row["action"] == "keep")
    chosen["action"], chosen["new_pid"] = "relabel", "market1501_new"
    with open(tmp_path / "pruned.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(FastreidPruneError, match="1 of 60 rows were edited .*--edited"):
        published.read(tmp_path / "pruned.csv")
    manifest = published.read(tmp_path / "pruned.csv", edited=True)
    assert decisions(manifest)[chosen["file_name"]] == ("relabel", "market1501_new")
    assert published.summary.new_ids == ["market1501_new"]
    manifest.check_against(published.samples.file_name, published.samples.pid)


def test_what_is_nothing_known_is_refused(tmp_path):
    samples = Samples.from_items(["s/1.jpg"], ["m_1"], ["c"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(FastreidPruneError, match="no images in it"):
        import_lists(tmp_path / "empty", tmp_path / "m.csv", samples, tmp_path)
    with pytest.raises(FastreidPruneError, match="there is nothing"):
        import_lists(tmp_path / "gone", tmp_path / "m.csv", samples, tmp_path)


def test_the_source_of_an_import_is_on_record(scored_run, tmp_path):
    published = Published(scored_run, tmp_path)
    published.read(ratio=0.3)
    info = json.loads((tmp_path / "imported.json").read_text())
    assert info["source"]["lists"] == "Market1501" and len(info["source"]["sha256 of scores.csv"]) == 64
    assert info["method"] == "entropy" and info["ratio"] == 0.3


def test_lists_say_which_data_set_they_are_for(scored_run, tmp_path):
    published = Published(scored_run, tmp_path)
    assert listed_datasets(published.lists) == listed_datasets(tmp_path / "out") == ["Market1501"]
    (published.lists / "lists.json").unlink()
    assert listed_datasets(published.lists) == ["Market1501"]
    with pytest.raises(FastreidPruneError, match="--dataset"):
        listed_datasets(tmp_path / "pruned.csv")
