"""Verdicts in a run's files, and what pruning makes of them."""

import csv

import numpy as np
import pytest
from click.testing import CliRunner

from fastreid_prune.cli import group
from fastreid_prune.datasets.truth import TruthRow, write_truth
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats import export_run, import_lists
from fastreid_prune.io.tables import write_csv
from fastreid_prune.manifest import Manifest, prune_run
from fastreid_prune.purify import judge_run, quality
from fastreid_prune.scored_run.identity_table import MORE, SAME, Finding, read_identities, write_identities
from fastreid_prune.scored_run.run_files import RunFiles
from fastreid_prune.scored_run.score_table import ScoreTable
from fastreid_prune.trajectory import save_trajectory


@pytest.fixture(scope="module")
def judged(noisy, tmp_path_factory):
    """A run's folder, its truth.csv, and what judging it by that truth gave."""
    run, _ = noisy
    folder = tmp_path_factory.mktemp("run")
    save_trajectory(run.trajectory, folder / "prune" / "trajectory")
    write_truth(folder / "truth.csv", truth_rows(run))
    return folder, judge_run(folder, truth=folder / "truth.csv")


def truth_rows(run):
    kinds = np.select([run.wrong, run.outlier], ["wrong_label", "outlier_foreign"], "clean")
    for row, name in enumerate(run.trajectory.samples.file_name[: len(run.given)]):
        shown = int(run.shown[row].split("_")[1]) if run.shown[row] else -1
        yield TruthRow(name, shown, str(kinds[row]), int(run.given[row].split("_")[1]), 1, "train")


def test_verdicts_are_in_both_score_files(noisy, judged):
    run, judgement = noisy
    folder, done = judged
    table = ScoreTable.read(folder / "prune")
    assert table.judged and len(table) == len(run.given)
    np.testing.assert_array_equal(table.pid, run.given)
    for name in ("verdict", "suggested_pid", "runner_up_pid", "reason"):
        np.testing.assert_array_equal(getattr(table.verdicts, name), getattr(judgement.verdicts, name))
    np.testing.assert_allclose(table.verdicts.confidence, judgement.verdicts.confidence)
    with open(folder / "prune" / "scores.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["verdict"] for row in rows] == judgement.verdicts.verdict.tolist()
    assert [row["suggested_pid"] for row in rows] == judgement.verdicts.suggested_pid.tolist()
    names = ("scores.parquet", "scores.csv", "identities.csv")
    assert set(done.files) == {folder / "prune" / name for name in names}
    *labels, clips, clips_out = table.thresholds["claims"]
    assert table.thresholds | {"claims": labels} == judgement.summary.to_json()
    assert (clips["kind"], clips_out["kind"]) == ("clips", "clips_out") and clips["refused"].startswith(
        "0 clips were moved"
    )


def test_the_truth_measures_the_verdicts(noisy, judged):
    run, judgement = noisy
    chances = (judgement.wrong_probability, judgement.outlier_probability)
    expected = quality(judgement.verdicts, run.wrong, run.outlier, run.shown, *chances)
    assert judged[1].quality == expected and expected.relabelled > 0.8


def test_a_truth_of_files_and_persons_alone_measures_as_well(noisy, judged, tmp_path):
    run, _ = noisy
    columns = {
        "file": [row.file for row in truth_rows(run)],
        "true_id": [row.true_id for row in truth_rows(run)],
    }
    write_csv(tmp_path / "truth.csv", columns)
    plain = judge_run(judged[0], truth=tmp_path / "truth.csv")
    assert plain.kinds == judged[1].kinds and plain.quality == judged[1].quality
    columns["true_id"] = [shown or -1 for shown in run.shown]
    write_csv(tmp_path / "names.csv", columns)
    named = judge_run(judged[0], truth=tmp_path / "names.csv")
    assert named.kinds == plain.kinds and named.quality == plain.quality
    single = plain.kinds[0]
    assert single.kind == "single labels" and single.precision > 0.9 and single.recall > 0.5


def test_judging_again_writes_the_same_bytes(judged):
    folder, done = judged
    before = [path.read_bytes() for path in done.files]
    again = judge_run(folder)
    assert again.quality is None and [path.read_bytes() for path in again.files] == before


def test_scoring_afterwards_keeps_the_verdicts(judged):
    folder, done = judged
    table = RunFiles.open(folder).table
    np.testing.assert_array_equal(table.verdicts.verdict, done.ruling.verdicts.verdict)


def test_pruning_acts_on_them(noisy, judged, tmp_path):
    run, judgement = noisy
    output = tmp_path / "manifest.csv"
    told = CliRunner().invoke(
        group,
        ["prune", str(judged[0]), "--ratio", "0", "--purify", "-o", str(output)],
        catch_exceptions=False,
    )
    assert told.exit_code == 0
    manifest = Manifest.read(output)
    place = {name: row for row, name in enumerate(manifest.file_name)}
    rows = [place[name] for name in run.trajectory.samples.file_name[: len(run.given)]]
    assert len(manifest) == len(run.given)
    action, new_pid, verdicts = manifest.action[rows], manifest.new_pid[rows], judgement.verdicts
    np.testing.assert_array_equal(action == "relabel", verdicts.mislabelled)
    np.testing.assert_array_equal(action == "outlier", verdicts.outlier)
    np.testing.assert_array_equal(new_pid[verdicts.mislabelled], verdicts.suggested_pid[verdicts.mislabelled])
    np.testing.assert_array_equal(action == "prune", verdicts.in_doubt)
    mended = run.given.copy()
    mended[verdicts.mislabelled] = new_pid[verdicts.mislabelled]
    kept = (action != "outlier") & (run.shown != "")
    assert (mended != run.shown)[kept].mean() < 0.01 < (run.given != run.shown)[kept].mean()


def test_without_purify_the_labels_stay(judged, tmp_path):
    summary = prune_run(judged[0], 0.0, output=tmp_path / "manifest.csv")
    assert summary.manifest.counts["relabel"] == summary.manifest.counts["outlier"] == 0


def test_the_command_tells_and_writes(noisy, tmp_path):
    run, judgement = noisy
    save_trajectory(run.trajectory, tmp_path / "prune" / "trajectory")
    write_truth(tmp_path / "truth.csv", truth_rows(run))
    with pytest.raises(FastreidPruneError, match="Judge the run first"):
        prune_run(tmp_path, 0.0, purify=True)
    arguments = ["judge", str(tmp_path), "--truth", str(tmp_path / "truth.csv")]
    told = CliRunner().invoke(group, arguments, catch_exceptions=False)
    assert told.exit_code == 0 and f"{judgement.summary.mislabelled} mislabelled" in told.output
    assert "scores.parquet" in told.output and "right labels that were changed" in told.output
    assert ScoreTable.read(tmp_path / "prune").judged


def test_the_truth_of_another_data_set_is_refused(noisy, judged, tmp_path):
    rows = list(truth_rows(noisy[0]))
    write_truth(tmp_path / "truth.csv", rows[1:])
    with pytest.raises(FastreidPruneError, match="1 of 1200 images of the run have no row") as refusal:
        judge_run(judged[0], truth=tmp_path / "truth.csv")
    assert rows[0].file in str(refusal.value)


def test_a_run_without_features_is_refused_and_stays(scored_run):
    run = scored_run(samples=60)
    with pytest.raises(FastreidPruneError, match="no features"):
        judge_run(run)
    assert not ScoreTable.read(run / "prune").judged


def test_a_run_of_which_only_scores_are_left_is_refused(noisy, tmp_path):
    from shutil import copytree, rmtree

    save_trajectory(noisy[0].trajectory, tmp_path / "prune" / "trajectory")
    RunFiles.open(tmp_path).scored(["entropy"])
    copytree(tmp_path, tmp_path / "copy")
    rmtree(tmp_path / "copy" / "prune" / "trajectory")
    with pytest.raises(FastreidPruneError, match="no trajectory"):
        judge_run(tmp_path / "copy")


def test_accepted_identities_are_merged_in_the_manifest_and_only_when_asked_for(judged):
    folder, _ = judged
    pid = RunFiles.open(folder).table.pid
    one, other = sorted(set(pid.tolist()))[:2]
    path = folder / "prune" / "identities.csv"
    before = path.read_text()
    try:
        write_identities(path, [Finding(SAME, one, other, 3, 5.0, None, "", "accept", "alike")])
        plain = prune_run(folder, 0.0, purify=True).manifest
        merged = prune_run(folder, 0.0, purify=True, identities=True).manifest
        assert other in set(plain.new_pid) and other not in set(merged.new_pid)
        came = merged.pid == other
        assert set(merged.new_pid[came & (plain.new_pid == other)]) == {one}
        with pytest.raises(FastreidPruneError, match="--purify"):
            prune_run(folder, 0.0, identities=True)
    finally:
        path.write_text(before)


def test_a_parted_identity_has_a_new_name_that_the_manifest_declares(judged, tmp_path):
    folder, _ = judged
    table = RunFiles.open(folder).table
    one = table.pid[0]
    files = tuple(table.file_name[table.pid == one][:3].tolist())
    path = folder / "prune" / "identities.csv"
    before = path.read_text()
    try:
        write_identities(path, [Finding(MORE, one, "", 3, 0.4, None, "", "accept", "two", files)])
        prune_run(folder, 0.0, purify=True, identities=True, output=tmp_path / "m.csv")
        manifest = Manifest.read(tmp_path / "m.csv")
        assert len(manifest.about["new_ids"]) == 1 and manifest.about["new_ids"][0] not in set(table.pid)
    finally:
        path.write_text(before)


def test_findings_about_identities_are_exported_beside_the_lists(judged, tmp_path):
    folder, done = judged
    exported = export_run(folder, tmp_path / "lists")
    place = next(tmp_path.glob("lists/*/identities.csv")) if done.identities else None
    assert done.identities and read_identities(place) == read_identities(folder / "prune" / "identities.csv")
    assert any(name.endswith("identities.csv") for name in exported.files)


def test_decisions_on_exported_identities_come_back_as_pruning_would_act_on_them(judged, tmp_path):
    """Merging moves what the base manifest relabelled to the identity that goes, too; what was refused stays."""
    folder, _ = judged
    table = RunFiles.open(folder).table
    base = prune_run(folder, 0.0, purify=True, output=tmp_path / "base.csv").manifest
    one, other, whole, refused = sorted(set(table.pid.tolist()))[:4]
    part = tuple(table.file_name[table.pid == whole][:3].tolist())
    findings = [
        Finding(SAME, one, other, 3, 5.0, None, "", "accept", "alike"),
        Finding(MORE, whole, "", 3, 0.4, None, "", "accept", "two", part),
        Finding(SAME, one, refused, 3, 4.0, None, "", "refuse", "alike"),
        Finding(SAME, whole, refused, 3, 4.0, None, "", "", "alike"),
    ]
    path = folder / "prune" / "identities.csv"
    before = path.read_text()
    try:
        write_identities(path, findings)
        export_run(folder, tmp_path / "lists")
        wanted = prune_run(folder, 0.0, purify=True, identities=True, output=tmp_path / "wanted.csv").manifest
    finally:
        path.write_text(before)
    exported = next(tmp_path.glob("lists/*/identities.csv"))
    arguments = ["import", str(exported), "-o", str(tmp_path / "back.csv"), "--dataset", str(folder)]
    told = CliRunner().invoke(group, [*arguments, "--base", str(base.path)], catch_exceptions=False)
    assert told.exit_code == 0, told.output
    assert "2 accepted and done, 1 refused, 1 undecided and left" in told.output
    back = Manifest.read(tmp_path / "back.csv")
    for column in ("file_name", "action", "new_pid", "rank"):
        np.testing.assert_array_equal(getattr(back, column), getattr(wanted, column))
    assert back.about["new_ids"] == wanted.about["new_ids"] and one in set(back.new_pid) - {other}
    lists = import_lists(
        exported.parent, tmp_path / "lists.csv", RunFiles.open(folder).samples, folder, purify=True
    )
    assert "2 findings about identities are accepted there, and not acted on" in lists.notes[-1]
    without = import_lists(exported, tmp_path / "alone.csv", RunFiles.open(folder).samples, folder)
    alone = Manifest.read(without.manifest)
    assert set(alone.action) == {"keep", "relabel"} and other not in set(alone.new_pid)
