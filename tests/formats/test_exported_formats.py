"""What each format holds, by the rules of those who read it."""

import hashlib
import json
import os
import pickle

import numpy as np
from published_runs import rows_of, write_images, write_verdicts

from fastreid_prune import scores
from fastreid_prune.formats import export_run
from fastreid_prune.manifest import Manifest, prune_run
from fastreid_prune.trajectory import Samples, load_trajectory


def test_the_papers_files_have_its_names_shapes_and_types(scored_run, tmp_path):
    run = scored_run(samples=40)
    write_verdicts(run, mislabelled=[3, 8], outliers=[5])
    export_run(run, tmp_path / "out")
    folder = tmp_path / "out" / "Market1501"
    names = np.load(folder / "fpath_list.npy", allow_pickle=False)
    ranking = np.load(folder / "Ranking_list.npy", allow_pickle=False)
    trajectory = load_trajectory(run)
    assert names.dtype.kind == ranking.dtype.kind == "U"
    assert names.tolist() == trajectory.samples.file_name.tolist()
    assert ranking.tolist() == names[np.argsort(-scores.compute(trajectory, "entropy"))].tolist()
    with open(folder / "Mislabeled_outlier_samples.pickle", "rb") as file:
        found = pickle.load(file)
    pid = {row: int(trajectory.samples.pid[row].split("_")[1]) for row in (3, 8)}
    assert found["mislabeled"].tolist() == [[3, pid[3] % 6 + 1], [8, pid[8] % 6 + 1]]
    assert found["outliers"].tolist() == [5]
    assert found["mislabeled"].dtype == found["outliers"].dtype == np.int64


def test_the_pickle_has_the_same_bytes_under_every_numpy_and_is_read_by_old_ones():
    from fastreid_prune.formats.paper import pickled

    data = pickled({"mislabeled": np.array([[3, 940], [7, 2]]), "outliers": np.array([5])})
    assert (
        hashlib.sha256(data).hexdigest() == "6d2382951f405cff19d6b4a96b6ab7364344df024f3c0648924e96db454e1e62"
    )
    assert b"numpy._core" not in data and data[1] == 3


def test_identities_without_numbers_are_text_in_the_papers_file(scored_run, tmp_path):
    names = Samples.from_items([f"s/{i}.jpg" for i in range(12)], ["ann", "bob", "eve"] * 4, ["c"] * 12)
    run = scored_run(names=names)
    write_verdicts(run, mislabelled=[0])
    export_run(run, tmp_path / "out")
    with open(next((tmp_path / "out").glob("*/*.pickle")), "rb") as file:
        assert pickle.load(file)["mislabeled"].tolist() == [["0", "bob"]]


def test_a_market_folder_holds_what_stays_under_the_right_names(scored_run, tmp_path):
    run = scored_run(samples=30)
    table = write_verdicts(run, mislabelled=[3], outliers=[5])
    write_images(tmp_path / "data", table.file_name)
    manifest = Manifest.read(prune_run(run, 0.2, purify=True).manifest.path)
    export_run(
        run,
        tmp_path / "out",
        ["market1501"],
        images=tmp_path / "data",
        manifest=run / "prune" / "manifest.csv",
    )
    folder = tmp_path / "out" / "Market1501" / "market1501"
    placed = {path.name: path for path in (folder / "bounding_box_train").iterdir()}
    assert len(placed) == manifest.kept.sum()
    for row in rows_of(folder / "names.csv"):
        path = placed[row["name"]]
        assert path.is_symlink() and not os.path.isabs(os.readlink(path))
        assert path.read_bytes() == (tmp_path / "data" / row["file_name"]).read_bytes()
        assert int(row["name"][:4]) == int(row["new_pid"].split("_")[1])
        assert row["name"][4:] == row["file_name"].rpartition("/")[2][4:]


def test_relabelled_names_never_take_another_images_name(scored_run, tmp_path):
    folder = "M/bounding_box_train"
    files = [
        f"{folder}/0001_c1s1_000001_00.jpg",
        f"{folder}/0002_c1s1_000001_00.jpg",
        f"{folder}/0002_c1s1_000001_01.jpg",
    ]
    names = Samples.from_items(files, ["m_1", "m_2", "m_2"], ["m_0"] * 3)
    run = scored_run(names=names)
    write_verdicts(run, mislabelled=[0], outliers=[2])
    write_images(tmp_path / "data", files)
    export_run(run, tmp_path / "out", ["market1501"], images=tmp_path / "data", copy=True)
    listed = sorted(os.listdir(next((tmp_path / "out").glob("*/market1501/bounding_box_train"))))
    assert listed == ["0002_c1s1_000001_00.jpg", "0002_c1s1_000001_02.jpg"]


def test_names_of_any_kind_become_market_names(scored_run, tmp_path):
    names = Samples.from_items(
        ['s/é,".png', "s/b", "s/0007_x.jpg"], ["ann", "bob", "ann"], ["left", "right", "left"]
    )
    run = scored_run(names=names)
    write_images(tmp_path / "data", names.file_name)
    export_run(run, tmp_path / "out", ["market1501"], images=tmp_path / "data")
    listed = rows_of(next((tmp_path / "out").glob("*/market1501/names.csv")))
    assert {row["name"]: row["file_name"] for row in listed} == {
        "0001_c1s1_000001_00.jpg": "s/0007_x.jpg",
        "0002_c2s1_000002_00.jpg": "s/b",
        "0001_c1s1_000003_00.jpg": 's/é,".png',
    }


def test_imagefolder_metadata_names_every_readable_image(scored_run, tmp_path):
    gone = {
        "file_name": "Market-1501-v15.09.15/gone.jpg",
        "pid": "market1501_1",
        "camid": "market1501_0",
        "error": "x",
    }
    run = scored_run(samples=20, unreadable=[gone])
    write_images(tmp_path / "data", load_trajectory(run).samples.file_name)
    export_run(run, tmp_path / "out", ["imagefolder"], images=tmp_path / "data")
    folder = tmp_path / "out" / "Market1501" / "imagefolder" / "train"
    rows = rows_of(folder / "metadata.csv")
    assert list(rows[0])[:2] == ["file_name", "label"] and len(rows) == 20
    assert all((folder / row["file_name"]).is_file() for row in rows)


def test_fiftyones_hardness_gives_our_ranking(scored_run, tmp_path):
    run = scored_run(samples=50)
    export_run(run, tmp_path / "out", ["fiftyone"])
    content = json.loads((tmp_path / "out" / "Market1501" / "fiftyone.json").read_text())
    assert len(content["samples"]) == 50 and content["media_type"] == "image"
    fields = set(content["sample_fields"])
    assert all(set(sample) <= fields for sample in content["samples"])
    hardness = []
    for sample in content["samples"]:
        assert sample["soft_label"]["_cls"] == "Classification"
        # as fiftyone.brain does: scipy.stats.entropy(scipy.special.softmax(logits))
        odds = np.exp(np.asarray(sample["soft_label"]["logits"]))
        p = odds / odds.sum()
        hardness.append(-(p * np.log(p)).sum())
    trajectory = load_trajectory(run)
    np.testing.assert_allclose(hardness, scores.compute(trajectory, "entropy"), rtol=1e-5)
    ranking = np.array([sample["filepath"] for sample in content["samples"]])[np.argsort(-np.array(hardness))]
    export_run(run, tmp_path / "lists")
    assert ranking.tolist() == np.load(tmp_path / "lists" / "Market1501" / "Ranking_list.npy").tolist()


def test_the_issue_table_follows_cleanlab(scored_run, tmp_path):
    run = scored_run(samples=50)
    export_run(run, tmp_path / "out", ["cleanlab"])
    rows = rows_of(tmp_path / "out" / "Market1501" / "label_issues.csv")
    trajectory = load_trajectory(run)
    p = np.exp(
        trajectory.mean_logits - np.max(trajectory.mean_logits, axis=1, keepdims=True), dtype=np.float64
    )
    p /= p.sum(1, keepdims=True)
    given = p[np.arange(50), trajectory.labels]
    np.testing.assert_allclose([float(row["label_score"]) for row in rows], given, rtol=1e-5)
    guess = p.argmax(1) != trajectory.labels
    assert [row["is_label_issue"] == "True" for row in rows] == guess.tolist() and guess.any()
    write_verdicts(run, mislabelled=[2])
    export_run(run, tmp_path / "judged", ["cleanlab"])
    rows = rows_of(tmp_path / "judged" / "Market1501" / "label_issues.csv")
    issues = [row for row in rows if row["is_label_issue"] == "True"]
    assert [row["file_name"] for row in issues] == [trajectory.samples.file_name[2]]
