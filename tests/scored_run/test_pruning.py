import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from fastreid_prune import scores
from fastreid_prune.cli import group
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.manifest import Manifest, prune_run
from fastreid_prune.manifest.decisions import Decisions
from fastreid_prune.scored_run.identity_table import MORE, SAME, Finding, write_identities
from fastreid_prune.scored_run.run_files import RunFiles
from fastreid_prune.scored_run.score_table import ScoreTable
from fastreid_prune.scored_run.verdicts import Verdicts
from fastreid_prune.trajectory import load_trajectory

UNREADABLE = [
    {
        "file_name": "Market-1501-v15.09.15/bounding_box_train/0001_c1s1_999999_00.jpg",
        "pid": "market1501_1",
        "camid": "market1501_0",
        "error": "OSError: truncated",
    }
]


def judged(table, mislabelled, outlier, in_doubt=()):
    """The table with verdicts on some rows; others are said to be clean, some of them with little confidence."""
    verdict = np.full(len(table), "clean", object)
    verdict[mislabelled], verdict[outlier] = "mislabelled", "outlier"
    suggested = np.full(len(table), "", object)
    ids = sorted(set(table.pid))
    suggested[mislabelled] = [ids[(ids.index(pid) + 1) % len(ids)] for pid in table.pid[mislabelled]]
    empty = np.full(len(table), "", object)
    reason = np.where(verdict == "clean", "", "its neighbours say otherwise").astype(object)
    gone = table.unreadable
    verdict[gone], reason[gone] = "outlier", table.verdicts.reason[gone]
    confidence = np.full(len(table), 0.9)
    confidence[list(in_doubt)] = 0.3
    verdicts = Verdicts(verdict, suggested, empty, confidence, reason)
    return ScoreTable(table.file_name, table.pid, table.camid, table.scores, verdicts, table.about)


def test_the_lowest_entropies_are_pruned(scored_run):
    run = scored_run(samples=50)
    summary = prune_run(run, 0.3)
    manifest = Manifest.read(summary.manifest.path)
    trajectory = load_trajectory(run)
    entropy = dict(zip(trajectory.samples.file_name, scores.compute(trajectory, "entropy"), strict=True))
    lowest = set(sorted(entropy, key=entropy.get)[:15])
    assert set(manifest.file_name[manifest.action == "prune"]) == lowest
    assert summary.manifest.counts == {"keep": 35, "prune": 15, "relabel": 0, "outlier": 0}
    assert summary.manifest.path == run / "prune" / "manifest.csv" and summary.identities == 6
    assert manifest.reason[manifest.action == "prune"][0] == "among the lowest 30 % by entropy"


def test_the_score_files_have_one_row_a_sample_and_one_column_a_method(scored_run):
    run = scored_run(samples=30)
    table = RunFiles.open(run).table
    parquet = pq.read_table(run / "prune" / "scores.parquet").to_pydict()
    with open(run / "prune" / "scores.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert set(table.scores) <= set(scores.available()) and {"entropy", "random"} <= set(table.scores)
    assert list(parquet) == list(rows[0]) and len(rows) == 30
    assert [float(row["entropy"]) for row in rows] == parquet["entropy"]
    assert [row["file_name"] for row in rows] == load_trajectory(run).samples.file_name.tolist()


def test_images_that_could_not_be_read_are_outliers(scored_run):
    run = scored_run(samples=20, unreadable=UNREADABLE)
    manifest = Manifest.read(prune_run(run, 0.5).manifest.path)
    row = manifest.file_name.tolist().index(UNREADABLE[0]["file_name"])
    assert manifest.action[row] == "outlier" and manifest.reason[row] == "unreadable: OSError: truncated"
    assert np.isnan(manifest.score[row]) and manifest.rank[row] == 21
    assert manifest.counts == {"keep": 10, "prune": 10, "relabel": 0, "outlier": 1}


def test_purification_relabels_and_leaves_out_and_pruning_counts_what_is_left(scored_run):
    run = scored_run(samples=60)
    table = judged(RunFiles.open(run).table, mislabelled=[1, 2, 3], outlier=[4, 5])
    table.write(run / "prune")
    with_verdicts = prune_run(run, 0.5, purify=True, output=run / "purified.csv")
    manifest = Manifest.read(with_verdicts.manifest.path)
    assert with_verdicts.manifest.counts["outlier"] == 2 and with_verdicts.manifest.counts["prune"] == 29
    changed = {table.file_name[row]: table.verdicts.suggested_pid[row] for row in (1, 2, 3)}
    for name, pid in changed.items():
        row = manifest.file_name.tolist().index(name)
        assert manifest.new_pid[row] == pid and manifest.action[row] in ("relabel", "prune")
    plain = Manifest.read(prune_run(run, 0.5, output=run / "plain.csv").manifest.path)
    assert plain.counts == {"keep": 30, "prune": 30, "relabel": 0, "outlier": 0}


def test_purification_leaves_out_what_is_more_likely_wrong_than_right(scored_run):
    run = scored_run(samples=60)
    table = judged(RunFiles.open(run).table, mislabelled=[1, 2, 3], outlier=[4, 5], in_doubt=[6, 7, 8])
    table.write(run / "prune")
    summary = prune_run(run, 0.5, purify=True, output=run / "purified.csv")
    manifest = Manifest.read(summary.manifest.path)
    assert summary.in_doubt == 3 and summary.manifest.counts["prune"] == 3 + (60 - 2 - 3) // 2
    rows = [manifest.file_name.tolist().index(table.file_name[row]) for row in (6, 7, 8)]
    assert set(manifest.action[rows]) == {"prune"}
    assert set(manifest.reason[rows]) == {
        "more likely wrong than right: the label is right with probability 0.30"
    }
    assert prune_run(run, 0.5, output=run / "plain.csv").in_doubt == 0
    told = CliRunner().invoke(group, ["prune", str(run), "--ratio", "0.5", "--purify"])
    assert told.exit_code == 0 and "3 of those that say prune are left out whatever the ratio" in told.output


def test_auto_prunes_what_is_in_doubt_with_what_is_judged_wrong(scored_run):
    run = scored_run(samples=60)
    table = judged(RunFiles.open(run).table, mislabelled=[1], outlier=[4], in_doubt=[6])
    table.write(run / "prune")
    manifest = Manifest.read(prune_run(run, 0.1, "auto").manifest.path)
    gone = dict(zip(manifest.file_name, manifest.action == "prune", strict=True))
    assert all(gone[table.file_name[row]] for row in (1, 4, 6)) and sum(gone.values()) == 6


@pytest.mark.parametrize("purify", [False, True])
def test_auto_prunes_first_as_many_of_the_most_doubted_as_are_wrong_by_estimate(scored_run, purify):
    run = scored_run(samples=60)
    table = judged(RunFiles.open(run).table, mislabelled=[1], outlier=[4])
    table.verdicts.confidence[[20, 30, 40]] = [0.52, 0.51, 0.53]
    estimate = {"thresholds": json.dumps({"claims": [], "suspects": 4})}
    replace(table, about=table.about | estimate).write(run / "prune")
    doubted = {table.file_name[row] for row in ((20, 30) if purify else (1, 4, 20, 30))}
    ratio = 0.04 if purify else 0.07
    manifest = Manifest.read(prune_run(run, ratio, "auto", purify=purify).manifest.path)
    assert set(manifest.file_name[manifest.action == "prune"]) == doubted
    assert all("most doubted" in reason for reason in manifest.reason[manifest.action == "prune"])
    assert manifest.action[manifest.file_name == table.file_name[1]] == ["relabel" if purify else "prune"]


def test_what_a_person_kept_is_not_in_doubt(scored_run):
    run = scored_run(samples=60)
    table = judged(RunFiles.open(run).table, mislabelled=[1], outlier=[4], in_doubt=[6, 7])
    table.write(run / "prune")
    Decisions(*(np.array([text], object) for text in (table.file_name[6], table.pid[6], "keep", ""))).write(
        run / "decisions.csv"
    )
    summary = prune_run(run, 0.0, purify=True, decisions=run / "decisions.csv", output=run / "purified.csv")
    manifest = Manifest.read(summary.manifest.path)
    action = dict(zip(manifest.file_name, manifest.action, strict=True))
    assert summary.in_doubt == 1
    assert action[table.file_name[6]] == "keep" and action[table.file_name[7]] == "prune"


def test_neither_a_clip_nor_a_part_empties_an_identity_unasked(scored_run):
    """Of ten images six are a clip judged wrong, the other four are parted off: none would be left."""
    run = scored_run(samples=60)
    table = RunFiles.open(run).table
    own = np.flatnonzero(table.pid == "market1501_1")
    judged(table, mislabelled=own[:6], outlier=[]).write(run / "prune")
    rest = tuple(table.file_name[own[6:]].tolist())
    part = Finding(MORE, "market1501_1", "", 4, 0.4, None, "", "accept", "another person", rest)
    write_identities(run / "prune" / "identities.csv", [part])
    held = prune_run(run, 0.0, purify=True, identities=True, output=run / "held.csv")
    assert "No image would be left of 1 identities (market1501_1)" in held.held[0] and not held.lost
    assert held.manifest.counts["relabel"] == 0
    asked = prune_run(run, 0.0, purify=True, identities=True, lose_identities=True, output=run / "asked.csv")
    assert (
        not asked.held
        and asked.manifest.counts["relabel"] == 10
        and asked.manifest.about["new_ids"] == ["market1501_7"]
    )


def test_merged_identities_are_gone_by_name_and_what_was_kept_by_hand_follows_them(scored_run):
    run = scored_run(samples=60)
    table = RunFiles.open(run).table
    judged(table, mislabelled=[], outlier=[]).write(run / "prune")
    other = np.flatnonzero(table.pid == "market1501_2")[0]
    keep = [np.array([text], object) for text in (table.file_name[other], "market1501_2", "keep", "")]
    Decisions(*keep).write(run / "decisions.csv")
    merge = Finding(SAME, "market1501_1", "market1501_2", 10, 4.0, None, "", "accept", "alike")
    write_identities(run / "by_hand.csv", [merge])
    summary = prune_run(
        run, 0.0, decisions=[run / "decisions.csv", run / "by_hand.csv"], output=run / "merged.csv"
    )
    assert not summary.held and summary.manifest.counts["relabel"] == 10 and summary.identities_left == 5
    assert "sha256 of identities.csv by hand" in summary.manifest.about["source"]
    told = CliRunner().invoke(
        group, ["prune", str(run), "--ratio", "0", "--decisions", str(run / "by_hand.csv")]
    )
    assert told.exit_code == 0 and "5" in told.output


def test_where_the_judge_refused_nothing_is_in_doubt(scored_run):
    run = scored_run(samples=60, unreadable=UNREADABLE)
    table = judged(RunFiles.open(run).table, mislabelled=[], outlier=[], in_doubt=[6, 7])
    table.write(run / "prune")
    summary = prune_run(run, 0.0, purify=True)
    assert summary.in_doubt == 0 and summary.manifest.counts == {
        "keep": 60,
        "prune": 0,
        "relabel": 0,
        "outlier": 1,
    }


def test_purification_without_verdicts_is_refused(scored_run):
    with pytest.raises(FastreidPruneError, match="no verdicts"):
        prune_run(scored_run(unreadable=UNREADABLE), 0.3, purify=True)


def test_the_same_run_elsewhere_gives_the_same_bytes(scored_run, tmp_path):
    run = scored_run(samples=40)
    shutil.copytree(run, tmp_path / "elsewhere" / "copy")
    written = []
    for place in (run, tmp_path / "elsewhere" / "copy"):
        RunFiles.open(place).scored()
        prune_run(place, 0.2, "random")
        names = ("manifest.csv", "manifest.json", "scores.csv", "scores.parquet")
        written.append([(place / "prune" / name).read_bytes() for name in names])
    assert written[0] == written[1]


def test_scores_of_an_earlier_trajectory_are_not_used(scored_run):
    run = scored_run(seed=1)
    before = Manifest.read(prune_run(run, 0.3).manifest.path)
    assert scored_run(seed=2) == run
    after = Manifest.read(prune_run(run, 0.3).manifest.path)
    assert (before.score != after.score).all()


def test_scores_suffice_where_the_trajectory_is_gone(scored_run):
    run = scored_run()
    prune_run(run, 0.3)
    first = (run / "prune" / "manifest.csv").read_bytes()
    shutil.rmtree(run / "prune" / "trajectory")
    prune_run(run, 0.3)
    assert (run / "prune" / "manifest.csv").read_bytes() == first


def test_a_seed_chooses_another_random_order(scored_run):
    run = scored_run()
    kept = [Manifest.read(prune_run(run, 0.5, "random", seed=seed).manifest.path).kept for seed in (1, 1, 2)]
    assert (kept[0] == kept[1]).all() and (kept[0] != kept[2]).any()


def test_the_command_prints_what_it_did_and_where(scored_run, tmp_path):
    run = scored_run()
    result = CliRunner().invoke(group, ["prune", str(run), "--ratio", "0.3", "-o", str(tmp_path / "m.csv")])
    assert result.exit_code == 0, result.output
    assert (
        "by entropy: 30 % asked for, 30.0 % pruned" in result.output
        and str(tmp_path / "m.csv") in result.output
    )
    assert json.loads((tmp_path / "m.json").read_text())["counts"]["prune"] == 18


def test_the_command_says_where_floors_bind(scored_run, tmp_path):
    arguments = [
        "prune",
        str(scored_run()),
        "--ratio",
        "0.9",
        "--keep-per-identity",
        "50",
        "-o",
        str(tmp_path / "m.csv"),
    ]
    said = CliRunner().invoke(group, arguments).output
    assert "90 % asked for, 0.0 % pruned" in said and "54 fewer are pruned than asked for" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--ratio", "1.5"], r"ratio: found 1.5"),
        (["--ratio", "0.3", "--method", "entropi"], "Did you mean 'entropy'"),
        (["--ratio", "0.3", "-o", "m.txt"], "ends in '.csv'"),
    ],
)
def test_a_mistake_ends_in_a_message(scored_run, arguments, message):
    result = CliRunner().invoke(group, ["prune", str(scored_run()), *arguments])
    assert isinstance(result.exception, FastreidPruneError)
    with pytest.raises(FastreidPruneError, match=message):
        raise result.exception


def test_the_regime_is_printed_and_kept_in_the_manifest(scored_run, tmp_path):
    run = scored_run(samples=60)
    output = tmp_path / "auto.csv"
    arguments = ["prune", str(run), "--ratio", "0.3", "--method", "auto", "-o", str(output)]
    result = CliRunner().invoke(group, arguments, catch_exceptions=False)
    assert "60 samples of 6 identities (median 10 each)" in result.output
    about = json.loads(output.with_suffix(".json").read_text())
    assert about["method"] == "auto" and about["regime"]["samples"] == 60
    assert about["regime"]["expectation"] in result.output
    assert Manifest.read(output).about["regime"] == about["regime"]


def test_a_strategy_ranks_by_the_score_asked_for_and_floors_hold(scored_run, tmp_path):
    run = scored_run(samples=60)
    easy = prune_run(run, 0.5, "easy_first", score="aum", output=tmp_path / "easy.csv").manifest.path
    hard = prune_run(run, 0.5, "aum", output=tmp_path / "hard.csv").manifest.path
    kept = [set(manifest.file_name[manifest.kept]) for manifest in map(Manifest.read, (easy, hard))]
    assert kept[0].isdisjoint(kept[1]) and len(kept[0]) == len(kept[1]) == 30
    summary = prune_run(run, 0.95, "easy_first", keep_per_identity=3, output=tmp_path / "floor.csv")
    manifest = Manifest.read(summary.manifest.path)
    assert all((manifest.kept & (manifest.pid == pid)).sum() == 3 for pid in set(manifest.pid))


def test_the_draw_of_a_strategy_follows_the_seed_and_leaves_the_score_files_alone(scored_run, tmp_path):
    run = scored_run(samples=60)
    RunFiles.open(run).scored()
    before = (run / "prune" / "scores.parquet").read_bytes()
    kept = []
    for seed in (1, 1, 2):
        summary = prune_run(run, 0.5, "proportional", seed=seed, output=tmp_path / "m.csv")
        kept.append(frozenset(Manifest.read(summary.manifest.path).training_identities()))
    assert kept[0] == kept[1] != kept[2]
    assert (run / "prune" / "scores.parquet").read_bytes() == before


def test_a_score_beside_a_method_that_ranks_by_itself_is_refused(scored_run):
    with pytest.raises(
        FastreidPruneError, match="'el2n' found beside the method 'aum', which ranks by itself"
    ):
        prune_run(scored_run(), 0.3, "aum", score="el2n")
