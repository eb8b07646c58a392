"""Every format there and back, with names that people do have and names that they had better not have."""

import csv
import json
import os
import shutil

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from published_runs import rows_of

from fastreid_prune.formats import export_run, import_lists
from fastreid_prune.formats.market_names import market_names
from fastreid_prune.manifest import COLUMNS, Manifest, prune_run
from fastreid_prune.scored_run.score_table import ScoreTable
from fastreid_prune.scored_run.verdicts import Verdicts
from fastreid_prune.trajectory import EpochRecords, Samples, Trajectory, save_trajectory

PAPER = ("fpath_list.npy", "Ranking_list.npy", "Mislabeled_outlier_samples.pickle")

# a path component: anything but a NUL, a slash, and what Windows takes for one; as long as file systems take
component = st.text(
    st.one_of(
        st.sampled_from(" ,\"'\n\r\t;=#%{}$`é漢𝄞ß"),
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\:"),
    ),
    min_size=1,
    max_size=60,
).filter(lambda text: text not in (".", "..") and len(text.encode()) < 200)
file_names = st.lists(st.tuples(component, component).map("/".join), max_size=8, unique_by=str.lower)
identities = st.one_of(st.integers(0, 20).map("market1501_{}".format), component)


@st.composite
def runs(draw):
    """Samples with scores and verdicts; distinct ids enough for suggestions."""
    names = draw(file_names)
    pids = draw(st.lists(identities, min_size=len(names), max_size=len(names)))
    samples = Samples.from_items(names, pids, ["cam_0"] * len(names))
    scores = np.array(draw(st.permutations(range(len(names)))), float) / 7
    verdict, suggested = np.full(len(names), "clean", object), np.full(len(names), "", object)
    for row, name in enumerate(
        draw(st.lists(st.sampled_from("cmo"), min_size=len(names), max_size=len(names)))
    ):
        others = sorted(set(pids) - {pids[row]})
        if name == "m" and others:
            verdict[row], suggested[row] = "mislabelled", draw(st.sampled_from(others))
        elif name == "o":
            verdict[row] = "outlier"
    empty = np.full(len(names), "", object)
    verdicts = Verdicts(verdict, suggested, empty, np.full(len(names), 0.9), draw_reasons(draw, verdict))
    return samples, ScoreTable(samples.file_name, samples.pid, samples.camid, {"entropy": scores}, verdicts)


def draw_reasons(draw, verdict):
    reasons = [draw(component) if kind != "clean" else "" for kind in verdict]
    return np.array([*reasons, None], object)[:-1]


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def write_run(table, folder):
    (folder / "run").mkdir()
    table.write(folder / "run")
    return folder / "run"


def same(one, other, names):
    for name in names:
        assert getattr(one, name).tolist() == getattr(other, name).tolist()


@settings(max_examples=40, deadline=None)
@given(runs())
def test_lists_come_back_whatever_the_names(tmp_path_factory, made):
    samples, table = made
    folder = tmp_path_factory.mktemp("lists")
    run = write_run(table, folder)
    purify = bool(len(samples))
    unbraked = {"most_removed": 1.0, "lose_identities": True}
    pruned = prune_run(run, 0.3, purify=purify, output=folder / "direct.csv", **unbraked)
    direct = Manifest.read(pruned.manifest.path)
    export_run(run, folder / "out")
    import_lists(folder / "out", folder / "ours.csv", samples, folder, ratio=0.3, purify=purify, **unbraked)
    same(Manifest.read(folder / "ours.csv"), direct, COLUMNS[:7])
    for lists in (folder / "out").iterdir():
        for path in lists.iterdir():
            if path.name not in PAPER:
                path.unlink()
    if len({os.path.dirname(str(path)) for path in (folder / "out").glob("*/*.npy")}) == 1:
        import_lists(
            folder / "out", folder / "paper.csv", samples, folder, ratio=0.3, purify=purify, **unbraked
        )
        same(Manifest.read(folder / "paper.csv"), direct, COLUMNS[:5])


def test_every_name_in_a_market_folder_ends_in_jpg():
    samples = Samples.from_items(["0/.0", "0/a.PNG", "0/b.tif"], ["market1501_0"] * 3, ["cam_0"] * 3)
    manifest = Manifest.build(samples, np.arange(3.0), np.ones(3, bool), method="entropy", ratio=0.0)
    names = dict(zip(manifest.file_name, market_names(manifest)[0], strict=True))
    assert [os.path.splitext(names[name])[1] for name in samples.file_name] == [".jpg"] * 3


@settings(max_examples=25, deadline=None)
@given(runs())
def test_market_folders_come_back_whatever_the_names(tmp_path_factory, made):
    samples, table = made
    folder = tmp_path_factory.mktemp("market")
    run = write_run(table, folder)
    for number, name in enumerate(samples.file_name):
        path = folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"image %d" % number)
    (folder / "data").mkdir(exist_ok=True)
    export_run(run, folder / "out", ["market1501"], images=folder / "data")
    for place in (folder / "out").iterdir():
        if not any((place / "market1501" / "bounding_box_train").iterdir()):
            continue
        base = Manifest.read(place / "market1501" / "manifest.csv")
        own = np.isin(samples.file_name.astype(str), base.file_name.astype(str))
        part = Samples.from_items(samples.file_name[own], samples.pid[own], samples.camid[own])
        known = set(base.new_pid[base.kept]) <= set(part.pid)
        if known:
            summary = import_lists(place / "market1501", folder / "m.csv", part, folder / "data")
            same(Manifest.read(folder / "m.csv"), base, ["file_name", "pid", "action", "new_pid", "rank"])
            assert not summary.tally.problems


@settings(max_examples=25, deadline=None)
@given(runs())
def test_tables_for_other_tools_say_the_same_as_the_run(tmp_path_factory, made):
    samples, table = made
    count, classes = len(samples), len(samples.class_names)
    if classes < 2:
        return
    folder = tmp_path_factory.mktemp("tables")
    logits = np.random.default_rng(count).normal(size=(count, classes)).astype(np.float32)
    epochs = EpochRecords(*(np.ones((1, count), np.int32) for _ in EpochRecords.__dataclass_fields__))
    save_trajectory(Trajectory(logits, samples.label, epochs, samples), folder / "run" / "trajectory")
    export_run(folder / "run", folder / "out", ["imagefolder", "fiftyone", "cleanlab"])
    listed, metadata, issues = {}, {}, {}
    for place in (folder / "out").iterdir():
        for sample in json.loads((place / "fiftyone.json").read_text(encoding="utf-8"))["samples"]:
            listed[sample["filepath"]] = (
                sample["given"]["label"],
                np.float32(sample["soft_label"]["logits"]),
            )
        metadata |= {
            row["file_name"]: row["given_label"]
            for row in rows_of(place / "imagefolder" / "train" / "metadata.csv")
        }
        issues |= {row["file_name"]: row["given_label"] for row in rows_of(place / "label_issues.csv")}
    expected = dict(zip(samples.file_name, samples.pid, strict=True))
    assert {name: pid for name, (pid, _) in listed.items()} == metadata == issues == expected
    for row, name in enumerate(samples.file_name):
        np.testing.assert_array_equal(listed[name][1], logits[row])


def test_an_empty_set_comes_back_empty(tmp_path):
    none = np.zeros(0, object)
    samples = Samples.from_items([], [], [])
    table = ScoreTable(none, none, none, {"entropy": np.zeros(0)}, Verdicts.unjudged(0))
    run = write_run(table, tmp_path)
    export_run(run, tmp_path / "out", ["lists", "imagefolder", "market1501"], images=tmp_path)
    import_lists(tmp_path / "out", tmp_path / "m.csv", samples, tmp_path, ratio=0.5)
    assert len(Manifest.read(tmp_path / "m.csv")) == 0
    with open(tmp_path / "out" / "dataset" / "scores.csv", newline="") as file:
        assert len(list(csv.reader(file))) == 1


def test_the_longest_names_a_path_can_have_come_back(tmp_path):
    names = ["/".join(["é" * 100] * 20), "a/" + "x" * 4000]
    samples = Samples.from_items(names, ["m_1", "m_2"], ["c", "c"])
    scores = {"entropy": np.array([1.0, 2.0])}
    run = write_run(
        ScoreTable(samples.file_name, samples.pid, samples.camid, scores, Verdicts.unjudged(2)), tmp_path
    )
    export_run(run, tmp_path / "out")
    summary = import_lists(tmp_path / "out", tmp_path / "m.csv", samples, tmp_path, ratio=0.5)
    assert summary.tally.matched == 2 and Manifest.read(tmp_path / "m.csv").counts["prune"] == 1
