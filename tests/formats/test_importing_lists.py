"""Published lists come back, ours and others'; what does not fit is counted, named or refused."""

import csv
import json
import os
import pickle
import shutil

import numpy as np
import pytest
from published_lists import Published, same_decisions, shuffled
from published_runs import tree

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats import export_run, import_lists, listed_datasets
from fastreid_prune.formats.listed import Listed
from fastreid_prune.formats.to_manifest import from_lists
from fastreid_prune.manifest import COLUMNS, Manifest, prune_run
from fastreid_prune.trajectory import Samples


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
    assert published.summary.tally.by_part == 60


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
    direct = Manifest.read(prune_run(run, 0.4).manifest.path)
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
    row = [name, "market1501_1", "c", *["1"] * 20][: len(header(published))]
    with open(published.lists / "scores.csv", "a", newline="") as file:
        file.write(3 * f"{','.join(row)}\n")  # csv of Python 3.10 writes no NUL
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


def test_what_is_nothing_known_is_refused(tmp_path):
    samples = Samples.from_items(["s/1.jpg"], ["m_1"], ["c"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(FastreidPruneError, match="in no format that is read"):
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


def test_purifying_by_lists_takes_no_large_part_of_a_set_unasked(tmp_path):
    names = [f"d/{k}.jpg" for k in range(10)]
    samples = Samples.from_items(names, ["d_1"] * 5 + ["d_2"] * 5, [""] * 10)
    listed = Listed.nothing(10, "entropy", {})
    listed.listed[:], listed.score[:], listed.judged = True, 1.0, True
    listed.outlier(np.arange(5), "listed")
    manifest, held = from_lists(samples, listed, 0.0, True, most_removed=0.2, lose_identities=False)
    assert manifest.counts["outlier"] == 0 and "5 of 10 samples (50 %) would be left out" in held[0]
    manifest, held = from_lists(samples, listed, 0.0, True, most_removed=0.5, lose_identities=True)
    assert manifest.counts["outlier"] == 5 and not held
