"""What an export holds as a whole, and when there is none."""

import json
import os
import pickle
import re
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from published_runs import rows_of, tree, write_images, write_verdicts

from fastreid_prune.cli import group
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats import export_run, written
from fastreid_prune.manifest import Manifest
from fastreid_prune.trajectory import Samples, load_trajectory


def test_what_people_read_is_complete(scored_run, tmp_path):
    run = scored_run(samples=40)
    table = write_verdicts(run, mislabelled=[3, 8], outliers=[5])
    export_run(run, tmp_path / "out")
    folder = tmp_path / "out" / "Market1501"
    important = rows_of(folder / "important.csv")
    entropies = [float(row["entropy"]) for row in important]
    assert len(important) == 40 and entropies == sorted(entropies, reverse=True)
    mislabelled = rows_of(folder / "mislabelled.csv")
    assert [row["file_name"] for row in mislabelled] == [table.file_name[8], table.file_name[3]]
    assert mislabelled[0]["confidence"] == "0.508" and mislabelled[0]["runner_up_pid"]
    outliers = rows_of(folder / "outliers.csv")
    assert [(row["file_name"], row["evidence"]) for row in outliers] == [
        (table.file_name[5], "between two identities")
    ]
    card = (folder / "README.md").read_text()
    for fact in (
        "| samples | 40 |",
        "| mislabelled | 2 |",
        "| share of the verdicts that should be right | 0.95 |",
        "numpy",
        "## Licence",
        "--dataset Market1501",
    ):
        assert fact in card
    sums = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True)
    assert sums.returncode == 0 and sums.stdout.count(": OK") == 10


@pytest.mark.parametrize("judged", [True, False])
def test_what_the_card_tells_to_run_runs(scored_run, tmp_path, judged, monkeypatch):
    run = scored_run(samples=40)
    if judged:
        write_verdicts(run, mislabelled=[3, 8], outliers=[5])
    write_images(tmp_path / "data", load_trajectory(run).samples.file_name)
    for folder in ("query", "bounding_box_test"):
        (tmp_path / "data" / "Market-1501-v15.09.15" / folder).mkdir()
    export_run(run, tmp_path / "out")
    folder = tmp_path / "out" / "Market1501"
    card = (folder / "README.md").read_text()
    monkeypatch.chdir(folder)
    first, second = re.findall("```python\n(.*?)```", card, re.DOTALL)
    found = {}
    exec(first, found)
    shown = subprocess.run([sys.executable, "-c", second], capture_output=True, text=True, check=True).stdout
    assert shown.count("shows person") == 2 * judged
    command = re.search("^fastreid-prune (import .*)$", card, re.MULTILINE).group(1)
    arguments = shlex.split(command.replace("DATASETS", str(tmp_path / "data")))
    arguments[-1] = str(tmp_path / "manifest.csv")
    assert CliRunner().invoke(group, arguments, catch_exceptions=False).exit_code == 0
    manifest = Manifest.read(tmp_path / "manifest.csv")
    assert dict(found["training_set"]) == manifest.training_identities()


def test_a_data_set_that_is_a_path_is_called_by_its_last_part(scored_run, tmp_path):
    run = scored_run(samples=40)
    meta = run / "prune" / "trajectory" / "meta.json"
    meta.write_text(json.dumps(json.loads(meta.read_text()) | {"dataset": [str(tmp_path / "my crops")]}))
    export_run(run, tmp_path / "out")
    card = (tmp_path / "out" / "my_crops" / "README.md").read_text()
    assert "--root DATASETS --dataset DATASETS --ratio" in card and str(tmp_path) not in card


@pytest.mark.parametrize(
    ("verdicts", "tables"),
    [
        ({"mislabelled": [3], "outliers": [5]}, ["important", "mislabelled", "outliers", "scores"]),
        ({"mislabelled": [3]}, ["important", "mislabelled", "scores"]),
        ({}, ["important", "scores"]),
    ],
)
def test_the_card_names_the_tables_that_have_rows(scored_run, tmp_path, verdicts, tables):
    run = scored_run(samples=40)
    write_verdicts(run, **verdicts)
    export_run(run, tmp_path / "out")
    folder = tmp_path / "out" / "Market1501"
    head = yaml.safe_load((folder / "README.md").read_text().split("---\n")[1])
    assert head["configs"] == [{"config_name": name, "data_files": f"{name}.csv"} for name in tables]
    assert all(rows_of(folder / entry["data_files"]) for entry in head["configs"])


def test_lists_without_verdicts_say_so(scored_run, tmp_path):
    run = scored_run()
    export_run(run, tmp_path / "out")
    folder = tmp_path / "out" / "Market1501"
    assert "not judged" in (folder / "README.md").read_text()
    assert rows_of(folder / "mislabelled.csv") == []
    with open(folder / "Mislabeled_outlier_samples.pickle", "rb") as file:
        found = pickle.load(file)
    assert found["mislabeled"].shape == (0, 2) and found["outliers"].shape == (0,)


def test_every_format_has_the_same_bytes_twice_and_elsewhere(scored_run, tmp_path):
    run = scored_run()
    write_verdicts(run, mislabelled=[1, 7], outliers=[4])
    write_images(tmp_path / "data", load_trajectory(run).samples.file_name)
    shutil.copytree(run, tmp_path / "elsewhere" / "other")
    shutil.copytree(tmp_path / "data", tmp_path / "elsewhere" / "images")
    everything = {"formats": [form.name for form in written()], "copy": True}
    export_run(run, tmp_path / "one", images=tmp_path / "data", **everything)
    export_run(run, tmp_path / "two", images=tmp_path / "data", **everything)
    export_run(
        tmp_path / "elsewhere" / "other",
        tmp_path / "three",
        images=tmp_path / "elsewhere" / "images",
        **everything,
    )
    one = tree(tmp_path / "one")
    assert one == tree(tmp_path / "two") == tree(tmp_path / "three")
    text = b"".join(content for name, content in one.items() if not name.endswith((".jpg", ".parquet")))
    assert str(tmp_path).encode() not in text


def test_several_data_sets_have_a_folder_each(scored_run, tmp_path):
    names = Samples.from_items(
        [f"{'A' if i % 2 else 'B'}/{i}.jpg" for i in range(30)],
        [f"{'msmt17' if i % 2 else '../../evil'}_{i % 5}" for i in range(30)],
        [f"c_{i % 3}" for i in range(30)],
    )
    run = scored_run(names=names)
    summary = export_run(run, tmp_path / "out")
    assert sorted(summary.datasets.values()) == [(15, 0, 0), (15, 0, 0)]
    assert sorted(os.listdir(tmp_path / "out")) == ["_.._evil", "msmt17"]
    assert sorted(os.listdir(tmp_path)) == ["out", "run"]
    ranking = np.load(tmp_path / "out" / "msmt17" / "Ranking_list.npy")
    assert len(ranking) == 15 and all(name.startswith("A/") for name in ranking)


def test_nothing_is_left_of_an_export_that_fails(scored_run, tmp_path):
    run = scored_run()
    (tmp_path / "data").mkdir()
    with pytest.raises(FastreidPruneError, match="no such image"):
        export_run(run, tmp_path / "out", ["lists", "market1501"], images=tmp_path / "data")
    assert sorted(os.listdir(tmp_path)) == ["data", "run"]


def test_an_output_folder_with_something_in_it_is_left_alone(scored_run, tmp_path):
    run = scored_run()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(FastreidPruneError, match="not an empty folder"):
        export_run(run, tmp_path / "out")
    assert os.listdir(tmp_path / "out") == ["mine.txt"]


@pytest.mark.parametrize("name", ["../../outside.jpg", "/etc/passwd", "a/../../b.jpg", "a\0b.jpg"])
def test_a_run_with_names_that_leave_the_root_is_refused(scored_run, tmp_path, name):
    names = Samples.from_items([name, "s/b.jpg"], ["m_1", "m_2"], ["c", "c"])
    run = scored_run(names=names)
    with pytest.raises(FastreidPruneError, match="not paths inside|contains NUL"):  # Python 3.10 reads none
        export_run(run, tmp_path / "out", [form.name for form in written()], images=tmp_path)
    assert os.listdir(tmp_path) == ["run"]


def test_the_command_says_what_it_wrote(scored_run, tmp_path):
    run = scored_run()
    result = CliRunner().invoke(group, ["export", str(run), "-o", str(tmp_path / "out"), "--format", "lists"])
    assert result.exit_code == 0, result.output
    assert "Market1501/Ranking_list.npy" in result.output
    script = os.path.join(os.path.dirname(__file__), "..", "..", "tools", "export_lists.py")
    subprocess.run(
        [sys.executable, script, str(run), "-o", str(tmp_path / "two")], check=True, capture_output=True
    )
    assert tree(tmp_path / "out") == tree(tmp_path / "two")


def test_an_unknown_format_or_method_is_refused(scored_run, tmp_path):
    run = scored_run()
    with pytest.raises(FastreidPruneError, match="expected one of cleanlab, fiftyone"):
        export_run(run, tmp_path / "out", ["coco"])
    with pytest.raises(FastreidPruneError, match="no scores by 'hardness'"):
        export_run(run, tmp_path / "out", method="hardness")


ELSEWHERE = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "1", "PYTHONUTF8": "0"}


def test_another_machine_writes_the_same_checksums(scored_run, tmp_path):
    """Another folder, time zone, locale, hash seed and umask, in a process of its own."""
    names = Samples.from_items(
        [f"s/é漢 {i}.jpg" for i in range(30)], [f"m_{i % 5}" for i in range(30)], ["c_0"] * 30
    )
    run = scored_run(names=names)
    write_verdicts(run, mislabelled=[3, 8], outliers=[5])
    export_run(run, tmp_path / "here", ["lists", "imagefolder", "fiftyone", "cleanlab"])
    shutil.copytree(run, tmp_path / "far" / "away")
    code = (
        "import os, sys; os.umask(0o077)\n"
        "from fastreid_prune.formats import export_run\n"
        "export_run(sys.argv[1], sys.argv[2], ['lists', 'imagefolder', 'fiftyone', 'cleanlab'])"
    )
    paths = [str(tmp_path / "far" / "away"), str(tmp_path / "there")]
    subprocess.run([sys.executable, "-c", code, *paths], env={**os.environ, **ELSEWHERE}, check=True)
    assert tree(tmp_path / "here") == tree(tmp_path / "there")
