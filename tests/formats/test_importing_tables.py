"""The tables for other tools come back: ImageFolder's, FiftyOne's and cleanlab's."""

import csv
import json

import pytest
from click.testing import CliRunner
from published_lists import Published, same_decisions
from published_runs import rows_of, write_images, write_verdicts

from fastreid_prune.cli import group
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats import export_run, read, registry, written
from fastreid_prune.manifest import COLUMNS, Manifest
from fastreid_prune.trajectory import load_trajectory


class Exported(Published):
    """A purified set, exported in one format; ``place`` is the file that a person edits."""

    def __init__(self, scored_run, folder, form, place):
        super().__init__(scored_run, folder, [form, "market1501"], copy=True)
        self.lists = self.lists / place


TABLES = {"imagefolder": "imagefolder/train/metadata.csv", "fiftyone": "fiftyone.json"}


@pytest.mark.parametrize(("form", "place"), TABLES.items())
def test_a_table_that_nobody_changed_comes_back_as_the_manifest_it_was_made_from(
    scored_run, tmp_path, form, place
):
    exported = Exported(scored_run, tmp_path, form, place)
    manifest = exported.read()
    same_decisions(manifest, exported.purified, COLUMNS[:5])
    assert exported.summary.kind == form and exported.summary.tally.lines() == []
    # the scores come back too, so that it can be pruned anew
    assert exported.read(ratio=0.5).counts["prune"] > exported.purified.counts["prune"]


def edited(form, path, names):
    """Give one image another identity, another a new one, remove the third, and forget the fourth."""
    said = {names[0]: "market1501_6", names[1]: "market1501_99"}
    if form == "imagefolder":
        rows = [row for row in rows_of(path) if row["file_name"] != names[3]]
        for row in rows:
            row["label"] = said.get(row["file_name"], row["label"])
            if row["file_name"] == names[2]:
                row["label"], row["action"] = "", "outlier"
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    else:
        content = json.loads(path.read_text(encoding="utf-8"))
        content["samples"] = [each for each in content["samples"] if each["filepath"] != names[3]]
        for sample in content["samples"]:
            if sample["filepath"] in said:
                sample["train_label"]["label"] = said[sample["filepath"]]
            if sample["filepath"] == names[2]:
                sample["tags"].append("Delete")
            # as FiftyOne writes them where no folder is given
            sample["filepath"] = f"/home/someone/{sample['filepath']}"
        path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize(("form", "place"), TABLES.items())
def test_a_table_that_a_person_edited_comes_back(scored_run, tmp_path, form, place):
    exported = Exported(scored_run, tmp_path, form, place)
    before = exported.purified
    kept = before.file_name[before.action == "keep"]
    names = [name for name in kept if "_c1s1" in name or "_c2s1" in name][:3] + [kept[-1]]
    edited(form, exported.lists, names)
    manifest = exported.read()
    now = dict(zip(manifest.file_name, zip(manifest.action, manifest.new_pid, strict=True), strict=True))
    expected = dict(zip(before.file_name, zip(before.action, before.new_pid, strict=True), strict=True))
    expected |= {
        names[0]: ("relabel", "market1501_6"),
        names[1]: ("relabel", "market1501_99"),
        names[2]: ("outlier", ""),
    }
    assert now == expected
    assert exported.summary.new_ids == ["market1501_99"] and exported.summary.unlisted_examples == [names[3]]


def test_cleanlabs_issues_come_back_as_verdicts(scored_run, tmp_path):
    run = scored_run(samples=40)
    write_verdicts(run, mislabelled=[3, 8])
    samples = load_trajectory(run).samples
    export_run(run, tmp_path / "out", ["cleanlab"])
    table = tmp_path / "out" / "Market1501" / "label_issues.csv"
    command = [
        "import",
        str(table),
        "--dataset",
        str(run),
        "--root",
        str(tmp_path),
        "-o",
        str(tmp_path / "m.csv"),
    ]
    result = CliRunner().invoke(group, [*command, "--purify"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    manifest = Manifest.read(tmp_path / "m.csv")
    assert manifest.counts == {"keep": 38, "prune": 0, "relabel": 2, "outlier": 0}
    relabelled = set(manifest.file_name[manifest.action == "relabel"])
    assert relabelled == {samples.file_name[3], samples.file_name[8]}
    with pytest.raises(FastreidPruneError, match="hold no ranking"):
        CliRunner().invoke(group, [*command, "--ratio", "0.3"], catch_exceptions=False)


def test_a_fiftyone_file_of_an_earlier_version_comes_back(scored_run, tmp_path):
    exported = Exported(scored_run, tmp_path, "fiftyone", "fiftyone.json")
    content = json.loads(exported.lists.read_text(encoding="utf-8"))
    for sample in content["samples"]:
        sample.pop("train_label", None)
        if "relabel" in sample["tags"]:
            sample["soft_label"]["label"] = "market1501_2"
    exported.lists.write_text(json.dumps(content), encoding="utf-8")
    manifest = exported.read()
    assert set(manifest.new_pid[manifest.action == "relabel"]) == {"market1501_2"}


def test_several_exports_side_by_side_have_to_be_chosen_from(scored_run, tmp_path):
    run = scored_run(samples=20)
    samples = load_trajectory(run).samples
    write_images(tmp_path / "data", samples.file_name)
    export_run(run, tmp_path / "out", ["imagefolder", "fiftyone"])
    arguments = ["import", str(tmp_path / "out"), "--dataset", str(run), "--root", str(tmp_path)]
    arguments += ["-o", str(tmp_path / "m.csv")]
    with pytest.raises(FastreidPruneError, match="could be fiftyone, imagefolder. Say which with --format"):
        CliRunner().invoke(group, arguments, catch_exceptions=False)
    result = CliRunner().invoke(group, [*arguments, "--format", "fiftyone"], catch_exceptions=False)
    assert result.exit_code == 0 and "fiftyone, for 20 images" in result.output
    with pytest.raises(
        FastreidPruneError, match="not in the format paper, which is a folder with Ranking_list.npy"
    ):
        CliRunner().invoke(group, [*arguments, "--format", "paper"], catch_exceptions=False)


def test_samples_are_taken_from_a_table_where_no_reader_knows_the_data_set(scored_run, tmp_path):
    run = scored_run(samples=20)
    samples = load_trajectory(run).samples
    export_run(run, tmp_path / "out")
    with open(tmp_path / "mine.csv", "w", newline="") as file:
        csv.writer(file).writerows(
            [("file_name", "label"), *zip(samples.file_name, samples.pid, strict=True)]
        )
    for given in (tmp_path / "mine.csv", run / "prune" / "scores.csv", run):
        arguments = ["import", str(tmp_path / "out"), "--dataset", str(given), "--root", str(tmp_path)]
        result = CliRunner().invoke(
            group, [*arguments, "--ratio", "0.5", "-o", str(tmp_path / "m.csv")], catch_exceptions=False
        )
        assert result.exit_code == 0, result.output
        assert Manifest.read(tmp_path / "m.csv").counts["prune"] == 10


def test_identities_of_a_table_with_images_are_those_that_its_scored_run_has(tmp_path):
    for name in ("a/1.png", "a/2.png", "b/3.png", "b/4.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    lines = ["file_name,label", "a/1.png,7", "a/2.png,7", "b/3.png,8", "b/4.png,8"]
    (tmp_path / "people.csv").write_text("\n".join(lines))
    (tmp_path / "back").mkdir()
    (tmp_path / "back" / "metadata.csv").write_text("file_name,label\na/1.png,people_8\n")
    arguments = [
        "import",
        str(tmp_path / "back"),
        "--dataset",
        str(tmp_path / "people.csv"),
        "--root",
        str(tmp_path),
    ]
    CliRunner().invoke(group, [*arguments, "-o", str(tmp_path / "m.csv")], catch_exceptions=False)
    manifest = Manifest.read(tmp_path / "m.csv")
    assert manifest.pid.tolist() == ["people_7", "people_7", "people_8", "people_8"]
    assert manifest.new_pid.tolist() == ["people_8", "people_7", "people_8", "people_8"]


def test_an_unknown_data_set_is_named_with_the_nearest(scored_run, tmp_path):
    run = scored_run(samples=20)
    export_run(run, tmp_path / "out")
    arguments = ["import", str(tmp_path / "out"), "--root", str(tmp_path), "-o", str(tmp_path / "m.csv")]
    with pytest.raises(FastreidPruneError, match="'Market150'. Did you mean Market1501"):
        CliRunner().invoke(group, [*arguments, "--dataset", "Market150"], catch_exceptions=False)


def test_the_commands_offer_what_is_registered():
    for verb, forms in (("export", written()), ("import", read())):
        text = CliRunner().invoke(group, [verb, "--help"]).output
        assert all(form.name in text for form in forms)
    assert {form.name for form in written()} <= {form.name for form in read()}
    for form in (*written(), *read()):
        assert form.source or form.name in ("lists", "manifest", "identities")
    with pytest.raises(FastreidPruneError, match="Did you mean 'imagefolder'"):
        registry.get("imagefoldr", written())
